/**
 * A progress bar on standard error, drawn only when that is a terminal.
 *
 * Standard output stays clean for results, and logs in files stay free of control characters.
 */
import { Effect, Stdio, Stream } from "effect";

const barCharacters = 30;

/** The bar's text for a share of the work. */
export const renderBar = (label: string, done: number, total: number): string => {
  const share = total <= 0 ? 1 : Math.min(1, done / total);
  const full = Math.round(share * barCharacters);
  const bar = "#".repeat(full) + "-".repeat(barCharacters - full);
  return `${label} [${bar}] ${String(Math.floor(share * 100)).padStart(3)} %`;
};

/** Something that is being worked on. */
interface Progress {
  /** Counts more of the work as done and redraws the bar when its percentage has changed. */
  readonly advance: (amount: number) => Effect.Effect<void>;
  /** Takes the bar away. */
  readonly clear: Effect.Effect<void>;
}

const silent: Progress = { advance: () => Effect.void, clear: Effect.void };

/** Progress whose line is `render`ed from what is done; nothing where nobody looks. A line that cannot be drawn never disturbs the work. */
const makeLine = Effect.fnUntraced(function* (render: (done: number) => string | undefined) {
  const stdio = yield* Stdio.Stdio;
  if (!(yield* stdio.stderrIsTerminal)) return silent;
  const write = (text: string) =>
    Stream.make(text).pipe(Stream.run(stdio.stderr({ endOnDone: false })), Effect.ignore);
  let done = 0;
  let drawn = "";
  return {
    advance: (amount) => {
      done += amount;
      const line = render(done);
      if (line === undefined || line === drawn) return Effect.void;
      drawn = line;
      return write(`\r${line}`);
    },
    clear: Effect.suspend(() =>
      drawn === "" ? Effect.void : write(`\r${" ".repeat(drawn.length)}\r`),
    ),
  } satisfies Progress;
});

/** A bar for `total` units of work, e.g. bytes. */
export const makeProgress = (label: string, total: number) =>
  makeLine((done) => renderBar(label, done, total));

/** The same for work whose amount is not known: how much has been done. */
export const makeCounter = (label: string) =>
  // Redrawn a hundred times less often than it counts, once there is much.
  makeLine((done) => (done > 1_000 && done % 100 !== 0 ? undefined : `${label}: ${done}`));
