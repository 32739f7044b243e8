/**
 * The manufacturer's doors, over mutual TLS 1.3 only: whoever shows no certificate, or one of another authority, is
 * refused in the handshake, counted and told to `onRefused`. A good certificate of somebody without a contract gets 403.
 * Every answer that changes something waits until the journal holds it.
 *
 *   POST /v1/keys  POST /v1/batches  POST /v1/downloads  POST /v1/payments  GET /v1/keys  GET /v1/payments  GET /healthz
 */
import type { TLSSocket } from "node:tls";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Decision, KeyServer, MakerJournal } from "../../maker/key-server.ts";
import type { MakerClient } from "../../maker/policy.ts";
import { assured, membersOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import {
  MAX_BODY_OCTETS,
  readBatchRequest,
  readDownloads,
  readKeyRequests,
  readPageQuery,
  readRemittances,
  writeKeyAnswers,
  writeKeyBatch,
} from "../../wire/message/maker-api.ts";
import { type Read, ShapeError } from "../../wire/message/shape.ts";
import { uriNames } from "../../wire/x509/uri-names.ts";
import { type DoorIdentity, openCertifiedDoor, tlsSocketOf } from "../certified-door.ts";
import { CONNECTION_LIMITS, type ConnectionLimits } from "../connections.ts";
import type { HandshakeRefusal } from "../handshakes.ts";
import type { RevocationCheck } from "../revocation-check.ts";

const LIMITS: ConnectionLimits = { ...CONNECTION_LIMITS, connections: 200, perAddress: 200 };
const DEFAULT_PAGE = 100;

/** Why a connection or request was refused, for counting and alarming. */
export type MakerRefusal = Omit<HandshakeRefusal, "cause"> & {
  readonly cause: HandshakeRefusal["cause"] | "no_contract";
};

type MakerDoorOptions = {
  readonly keyServer: KeyServer;
  readonly journal: MakerJournal;
  readonly tls: DoorIdentity;
  readonly revocation?: RevocationCheck | undefined;
  now(): Date;
  onRefused(refusal: MakerRefusal): void;
  onFault(error: Error): void;
};
type Doors = MakerDoorOptions & {
  /** Who a connection's certificate is of: its names are read once a connection. */
  readonly clients: WeakMap<object, MakerClient>;
};

export function makerDoors(options: MakerDoorOptions): FastifyInstance {
  const doors: Doors = { ...options, clients: new WeakMap() };
  const app = openCertifiedDoor({ ...options, limits: LIMITS, bodyLimitOctets: MAX_BODY_OCTETS });
  addHooks(app, doors);
  addRoutes(app, doors);
  return app;
}

function addHooks(app: FastifyInstance, doors: Doors): void {
  const { onRefused, onFault } = doors;
  app.addHook("onRequest", async (request, reply) => {
    if (clientOf(doors, tlsSocketOf(request))) return;
    onRefused({ cause: "no_contract", detail: "a certificate without a contract", peer: request.ip });
    await problem(reply, {
      status: 403,
      code: "client_unknown",
      detail: "This certificate belongs to no client of this manufacturer.",
    });
  });
  app.setNotFoundHandler((_request, reply) =>
    problem(reply, { status: 404, code: "route_unknown", detail: "There is no such route." }),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof ShapeError)
      return problem(reply, {
        status: 400,
        code: "message_malformed",
        detail: sentenceOf(error.message),
        path: error.path,
      });
    const status = error.statusCode ?? 500;
    if (status < 500)
      return problem(reply, { status, code: "request_malformed", detail: sentenceOf(error.message) });
    onFault(error);
    return problem(reply, {
      status: 503,
      code: "maker_unavailable",
      detail: "The key server cannot answer now.",
    });
  });
}

function addRoutes(app: FastifyInstance, doors: Doors): void {
  const { keyServer, now } = doors;
  const callerOf = (request: FastifyRequest): MakerClient =>
    assured(clientOf(doors, tlsSocketOf(request)), "the hook above lets nobody else through");
  app.get("/healthz", async () => ({ status: "ok", keys: keyServer.size() }));
  app.post("/v1/keys", async (request, reply) => {
    const { keys } = readKeyRequests(request.body, "");
    const answer = await durable(doors, keyServer.issue(callerOf(request), keys, now()));
    return reply.type("application/json").send(writeKeyAnswers(answer));
  });
  app.post("/v1/batches", async (request, reply) => {
    const wanted = readBatchRequest(request.body, "");
    const answer = await durable(doors, keyServer.issueBatch(callerOf(request), wanted, now()));
    if ("code" in answer)
      return problem(reply, {
        status: answer.code === "try_later" ? 503 : 409,
        code: answer.code,
        detail: answer.reason,
      });
    return reply.type("application/json").send(writeKeyBatch(answer));
  });
  app.post("/v1/downloads", async (request) => {
    const { downloads } = readDownloads(request.body, "");
    return durable(doors, keyServer.noteDownloads(callerOf(request), downloads));
  });
  app.post("/v1/payments", async (request) => {
    const { payments } = readRemittances(request.body, "");
    return durable(doors, keyServer.notePayments(callerOf(request), payments));
  });
  app.get("/v1/keys", async (request) => {
    const { after, limit = DEFAULT_PAGE } = pageQueryOf(request);
    const { entries, next } = keyServer.issuedKeys(callerOf(request), after, limit);
    return { keys: entries, ...(next === undefined ? {} : { next }) };
  });
  app.get("/v1/payments", async (request) => {
    const { after, limit = DEFAULT_PAGE } = pageQueryOf(request);
    const { entries, next, totals } = keyServer.paymentStates(callerOf(request), after, limit);
    return { payments: entries, totals, ...(next === undefined ? {} : { next }) };
  });
}

/** The certificate was verified in the handshake; its names are read once a connection. */
function clientOf({ clients, keyServer }: Doors, socket: TLSSocket): MakerClient | undefined {
  const known = clients.get(socket);
  if (known) return known;
  const client = keyServer.clientOf(uriNames(socket.getPeerX509Certificate()?.subjectAltName));
  if (client) clients.set(socket, client);
  return client;
}

async function durable<Answer>({ journal }: Doors, { answer, events }: Decision<Answer>): Promise<Answer> {
  // Without events of its own, an answer may still rest on events that are being written.
  await journal.append(events);
  return answer;
}

/** `?after=&limit=`, where the limit comes as text. */
function pageQueryOf(request: FastifyRequest): ReturnType<Read<ReturnType<typeof readPageQuery>>> {
  const query = membersOf(request.query);
  return readPageQuery(
    typeof query.limit === "string" ? { ...query, limit: Number(query.limit) } : query,
    "",
  );
}

type Problem = {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly path?: string;
};

function problem(reply: FastifyReply, { status, code, detail, path }: Problem) {
  return reply
    .status(status)
    .type("application/problem+json")
    .send({ type: `about:blank`, title: code, status, code, detail, ...(path ? { path } : {}) });
}
