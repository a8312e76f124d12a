/**
 * AppSync's event API, as far as SST's command line and its bridge in Lambda speak it: what is published on a channel
 * goes to whoever subscribed to it. TLS, because both insist on it; the certificate beside this file is for localhost,
 * and for nothing else.
 *
 * Source: AWS AppSync developer guide, "Understanding the Event API WebSocket protocol"
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { Schema } from "effect";
import { type WebSocket, WebSocketServer } from "ws";

/** The certificate that clients must trust. */
export const certificateFile = join(import.meta.dirname, "localhost.cert.pem");

const Message = Schema.fromJsonString(
  Schema.Struct({
    type: Schema.String,
    id: Schema.optionalKey(Schema.String),
    channel: Schema.optionalKey(Schema.String),
  }),
);
const decodeMessage = Schema.decodeUnknownSync(Message);

const Published = Schema.fromJsonString(
  Schema.Struct({ channel: Schema.String, events: Schema.Array(Schema.String) }),
);
const decodePublished = Schema.decodeUnknownSync(Published);

interface Subscription {
  readonly socket: WebSocket;
  readonly id: string;
  readonly channel: string;
}

const hears = ({ channel }: Subscription, published: string): boolean =>
  channel.endsWith("*") ? published.startsWith(channel.slice(0, -1)) : published === channel;

export interface LiveEvents {
  /** Name and port. */
  readonly host: string;
  readonly subscriptionsCount: () => number;
  readonly close: () => void;
}

export const serveLiveEvents = async (): Promise<LiveEvents> => {
  const subscriptions = new Set<Subscription>();
  const server = createServer({
    cert: readFileSync(certificateFile),
    key: readFileSync(join(import.meta.dirname, "localhost.key.pem")),
  });
  server.on("request", (request, response) => {
    void readText(request).then((body) => {
      if (request.method === "POST") {
        const { channel, events } = decodePublished(body);
        for (const one of subscriptions) {
          if (!hears(one, channel)) continue;
          for (const event of events) {
            one.socket.send(JSON.stringify({ type: "data", id: one.id, event }));
          }
        }
      }
      return response.end("{}");
    });
  });
  const sockets = new WebSocketServer({ server, handleProtocols: () => "aws-appsync-event-ws" });
  sockets.on("connection", (socket) => {
    socket.on("message", (data: Buffer) => {
      const { channel = "", id = "", type } = decodeMessage(data.toString());
      if (type === "connection_init") {
        socket.send(JSON.stringify({ type: "connection_ack", connectionTimeoutMs: 300_000 }));
      }
      if (type === "subscribe") {
        subscriptions.add({ socket, id, channel });
        socket.send(JSON.stringify({ type: "subscribe_success", id }));
      }
    });
    socket.on("close", () => {
      for (const one of subscriptions) if (one.socket === socket) subscriptions.delete(one);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    host: `localhost:${port}`,
    subscriptionsCount: () => subscriptions.size,
    close: () => {
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
    },
  };
};
