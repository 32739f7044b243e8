/**
 * The manufacturer's application server, such as its MMS centre: the thing that a phone left behind cannot reach. It
 * stands in the manufacturer's private network, so only the gateway leads to it. A handset that posts to it with a
 * key's proof has arrived; arrivals are told to Turnup in batches.
 *
 *   POST /m  {keyId, proof, application}  ->  200 {received: true} | 403 a wrong proof
 *
 * Multimedia messages under the same name go to its MMS centre (`mmsc.ts`).
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Arrival } from "../../wire/message/maker-api.ts";
import { hexText, object, octets, ShapeError, text } from "../../wire/message/shape.ts";
import { closedToAll, listening } from "../web/listen.ts";
import { type Batcher, createBatcher } from "./batcher.ts";
import type { Mmsc } from "./mmsc.ts";
import { bodyOf, KEEP_ALIVE_MS, reply } from "./packet-gateway.ts";

const MAX_WAITING_ARRIVALS = 100_000;
const MAX_ARRIVAL_BATCH = 500;
const ARRIVAL_INTERVAL_MS = 50;

const readPost = object({
  keyId: hexText(16),
  proof: octets({ min: 16, max: 16 }),
  application: text({ max: 40 }),
});

type ApplicationServerOptions = {
  onArrivals(batch: readonly Arrival[]): Promise<void>;
  /** The manufacturer's key server; a key that it never issued (an operator's own) is let in and told as it came. */
  verifyArrival?(keyId: string, proof: Uint8Array): "good" | "unknown_key" | "bad_proof";
  readonly mmsc?: Pick<Mmsc, "isFor" | "answer">;
  onFault?(error: unknown): void;
  readonly port?: number;
  readonly host?: string;
  now?(): Date;
};

type Application = {
  readonly options: ApplicationServerOptions;
  readonly arrivals: Batcher<Arrival>;
  readonly counts: { arrived: number; badProof: number };
};

export async function startApplicationServer(options: ApplicationServerOptions) {
  const { host = "127.0.0.1", onFault } = options;
  const arrivals = createBatcher<Arrival>({
    maxBatch: MAX_ARRIVAL_BATCH,
    maxWaiting: MAX_WAITING_ARRIVALS,
    intervalMs: ARRIVAL_INTERVAL_MS,
    deliver: options.onArrivals,
    ...(onFault ? { onFault } : {}),
  });
  const application: Application = { options, arrivals, counts: { arrived: 0, badProof: 0 } };
  const server = createServer((request, response) => {
    answer(application, request, response).catch((error: unknown) => {
      const malformed = error instanceof ShapeError || error instanceof SyntaxError;
      if (!malformed) onFault?.(error);
      reply(response, malformed ? 400 : 500, { cause: "malformed" });
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listening(server, host, options.port);
  return {
    url: `http://${host}:${port}`,
    counts: () => ({ ...application.counts, told: arrivals.state() }),
    flush: arrivals.flush,
    async close(): Promise<void> {
      await closedToAll(server);
      await arrivals.close();
    },
  };
}

async function answer(
  { options, arrivals, counts }: Application,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (options.mmsc?.isFor(request)) return options.mmsc.answer(request, response);
  if (request.method !== "POST" || request.url !== "/m") {
    request.resume();
    return reply(response, 404, { cause: "no_such_call" });
  }
  const { keyId, proof, application } = readPost(JSON.parse(await bodyOf(request)), "");
  if (options.verifyArrival?.(keyId, proof) === "bad_proof") {
    counts.badProof++;
    return reply(response, 403, { cause: "bad_proof" });
  }
  const at = options.now?.() ?? new Date();
  const apn = String(request.headers["x-called-station-id"] ?? "unknown");
  const arrivalId = `${keyId}:${at.getTime()}`;
  if (!arrivals.push({ arrivalId, keyId, at, apn, application, proof }))
    return reply(response, 503, { cause: "busy" });
  counts.arrived++;
  reply(response, 200, { received: true });
}
