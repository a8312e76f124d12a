/**
 * Goal: a page in a browser uploads with a form that the API gave it, with no code of ours but the page's own dozen lines.
 * Method: headless Chromium, driven by its own protocol, on a page of this machine; skipped where no browser is installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, describe, it } from "@effect/vitest";
import { Executions } from "@millrace/core";
import { UploadApi } from "@millrace/local";
import { Effect, Option, Schedule, Schema } from "effect";
import sharp from "sharp";
import { WebSocket } from "ws";
import { layerLocalWorld } from "./LocalWorld.ts";

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
const chromium = names.find((name) => spawnSync(name, ["--version"]).status === 0);
if (chromium === undefined) {
  process.stderr.write(
    `test/browserUpload.test.ts is skipped: none of ${names.join(", ")} is installed\n`,
  );
}

/** What a page does: asks for a form, lets its visitor choose a file, sends the form. */
const page = (api: string): string => `<!doctype html>
<title>upload</title>
<form id="upload" method="post" enctype="multipart/form-data"><input type="file" name="file"></form>
<script type="module">
  const wanted = { pipeline: "image-renditions", fileName: "photo.png", contentType: "image/png" };
  const asked = await fetch("${api}/uploads", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(wanted),
  });
  const { fields, key, url } = await asked.json();
  const form = document.querySelector("#upload");
  form.action = url;
  for (const [name, value] of Object.entries(fields)) {
    const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
    // The file comes last: S3 ignores what comes after it.
    form.prepend(field);
  }
  window.uploadKey = key;
</script>`;

/** Serves the page until the scope closes. */
const servePage = (api: string) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly close: () => void }>((resume) => {
      const server = createServer((_, response) => {
        response.setHeader("content-type", "text/html");
        response.end(page(api));
      });
      server.listen(0, "127.0.0.1", () => {
        const address = server.address();
        const port = typeof address === "object" ? address?.port : undefined;
        const close = () => {
          server.close().closeAllConnections();
        };
        resume(Effect.succeed({ url: `http://127.0.0.1:${port}/`, close }));
      });
    }),
    ({ close }) => Effect.sync(close),
  );

const Reply = Schema.fromJsonString(
  Schema.Struct({
    id: Schema.optionalKey(Schema.Int),
    result: Schema.optionalKey(Schema.Record(Schema.String, Schema.Unknown)),
    error: Schema.optionalKey(Schema.Struct({ message: Schema.String })),
  }),
);
const decodeReply = Schema.decodeUnknownSync(Reply);

type Send = (
  method: string,
  parameters: object,
  sessionId?: string,
) => Promise<Readonly<Record<string, unknown>>>;

/** A browser of its own profile, and its protocol; both end with the scope. */
const openBrowser = (program: string) =>
  Effect.acquireRelease(
    Effect.promise(async () => {
      const profile = mkdtempSync(join(tmpdir(), "millrace-browser-"));
      const browser = spawn(program, [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ]);
      const address = await new Promise<string>((resolve, reject) => {
        let said = "";
        browser.stderr.on("data", (data: Buffer) => {
          said += data.toString();
          const found = /DevTools listening on (ws:\S+)/.exec(said)?.[1];
          if (found !== undefined) resolve(found);
        });
        browser.on("exit", () => reject(new Error(`${program} ended: ${said}`)));
      });
      const socket = new WebSocket(address);
      await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
      const waiting = new Map<number, (reply: typeof Reply.Type) => void>();
      socket.on("message", (data: Buffer) => {
        const reply = decodeReply(data.toString());
        if (reply.id !== undefined) waiting.get(reply.id)?.(reply);
      });
      const send: Send = (method, params, sessionId) =>
        new Promise((resolve, reject) => {
          const id = waiting.size + 1;
          waiting.set(id, ({ error, result = {} }) => {
            if (error) reject(new Error(`${method}: ${error.message}`));
            else resolve(result);
          });
          socket.send(JSON.stringify({ id, method, params, sessionId }));
        });
      return { browser, profile, send, socket };
    }),
    ({ browser, profile, socket }) =>
      Effect.promise(async () => {
        socket.terminate();
        const gone = new Promise((resolve) => browser.once("exit", resolve));
        browser.kill("SIGKILL");
        await gone;
        rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
      }),
  );

const Target = Schema.Struct({ targetId: Schema.String });
const Session = Schema.Struct({ sessionId: Schema.String });
const Value = Schema.Struct({
  result: Schema.Struct({
    value: Schema.optionalKey(Schema.Unknown),
    objectId: Schema.optionalKey(Schema.String),
  }),
});

/** A tab on the page. */
const openTab = Effect.fnUntraced(function* (send: Send, url: string) {
  const { targetId } = yield* Schema.decodeUnknownEffect(Target)(
    yield* Effect.promise(() => send("Target.createTarget", { url })),
  );
  const { sessionId } = yield* Schema.decodeUnknownEffect(Session)(
    yield* Effect.promise(() => send("Target.attachToTarget", { targetId, flatten: true })),
  );
  const evaluate = Effect.fnUntraced(function* (expression: string) {
    const said = yield* Effect.promise(() => send("Runtime.evaluate", { expression }, sessionId));
    return (yield* Schema.decodeUnknownEffect(Value)(said)).result;
  });
  return {
    evaluate,
    choose: Effect.fnUntraced(function* (selector: string, file: string) {
      const { objectId } = yield* evaluate(`document.querySelector(${JSON.stringify(selector)})`);
      const parameters = { files: [file], objectId };
      yield* Effect.promise(() => send("DOM.setFileInputFiles", parameters, sessionId));
    }),
  };
});

const world = layerLocalWorld({ timeoutSeconds: 60 });

describe("a page in a browser", () => {
  it.effect.skipIf(chromium === undefined)(
    "uploads a chosen file by a form, and the pipeline renders it",
    () =>
      Effect.gen(function* () {
        const api = Option.getOrThrow((yield* UploadApi).url);
        const { url } = yield* servePage(api);
        const { profile, send } = yield* openBrowser(chromium ?? "");
        const photo = join(profile, "photo.png");
        const image = sharp({
          create: { width: 900, height: 700, channels: 3, background: "teal" },
        });
        writeFileSync(photo, yield* Effect.promise(() => image.png().toBuffer()));

        const { choose, evaluate } = yield* openTab(send, url);
        const { value: key } = yield* evaluate("window.uploadKey").pipe(
          Effect.repeat({
            until: ({ value }) => value !== undefined,
            schedule: Schedule.spaced("50 millis"),
          }),
        );
        yield* choose("input[type=file]", photo);
        yield* evaluate("document.querySelector('#upload').submit()");

        const row = yield* Executions.use((executions) => executions.list({ rowsMax: 10 })).pipe(
          Effect.map(({ rows }) => rows.find(({ status }) => status === "completed")),
          Effect.repeat({
            until: (found) => found !== undefined,
            schedule: Schedule.spaced("50 millis"),
          }),
        );
        assert.include(row?.key, `/${String(key)}@`);
        assert.include(JSON.stringify(row?.result), "resized/800x600/");
      }).pipe(Effect.scoped, Effect.provide(world)),
    120_000,
  );
});
