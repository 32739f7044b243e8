/**
 * The proxy's door for its operator: accounts of devices come, are blocked and go while it runs, and its measures are read. TLS
 * with the proxy's own certificate, apart from the devices' door; whoever asks shows the bearer secret. What is answered is in
 * the journal, so a restart knows it.
 */

import { createHash, timingSafeEqual } from "node:crypto";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import type { Account } from "../../proxy/account.ts";
import type { Edge, ProxyJournal } from "../../proxy/edge.ts";
import { TurnupError } from "../../term/error.ts";
import { membersOf } from "../../term/narrow.ts";
import { sentenceOf } from "../../term/sentence.ts";
import {
  ACCOUNT_CHANGES_PATH,
  accountPath,
  CHANGES_OCTETS_MAX,
  readAccountChanges,
  readDeviceId,
  readWantedAccount,
  type StandingAccount,
} from "../../wire/message/account-api.ts";
import { ShapeError } from "../../wire/message/shape.ts";
import { Allowance } from "../allowance.ts";
import { fastifyOverTls } from "../certified-door.ts";
import { CONNECTION_LIMITS, guardDoor, refuseConnection, timeoutsOf } from "../connections.ts";
import { PROBLEM_MEDIA_TYPE, problemOf } from "../problem.ts";

const BODY_OCTETS = 4_096;
/** Wrong secrets of one address; more are not looked at. */
const WRONG_SECRETS = { perWindow: 20, windowMs: 60_000, keysMax: 10_000 } as const;
const TIMEOUTS = timeoutsOf(CONNECTION_LIMITS);

type ManageDoorOptions = {
  readonly edge: Edge;
  readonly journal: ProxyJournal;
  readonly tls: { readonly key: string; readonly certificate: string };
  /** It may be another from one request to the next. */
  readonly secret: () => string;
  readonly registry: Registry;
  /** Rejects while a provisioning server does not prove itself. */
  reach(): Promise<void>;
  now(): Date;
  monotonicMs(): number;
  onFault(error: Error): void;
};

export async function createManageDoor(options: ManageDoorOptions): Promise<FastifyInstance> {
  const { key, certificate: cert } = options.tls;
  const app = fastifyOverTls({
    https: { key, cert, minVersion: "TLSv1.3", ...TIMEOUTS.node },
    bodyLimit: BODY_OCTETS,
    ...TIMEOUTS.fastify,
    clientErrorHandler: refuseConnection,
    forceCloseConnections: true,
  });
  guardDoor(app, CONNECTION_LIMITS);
  const wrong = new Allowance(WRONG_SECRETS);
  app.addHook("onRequest", async (request) => admit(options, wrong, request));
  mountAccounts(app, options);
  app.get("/metrics", async (_request, reply) =>
    reply.type(options.registry.contentType).send(await options.registry.metrics()),
  );
  app.get("/readyz", async () => {
    await options.reach().catch((cause) => {
      throw new TurnupError("dependency_unavailable", "A provisioning server does not prove itself.", {
        cause,
      });
    });
    return { status: "ready" };
  });
  app.setNotFoundHandler((request, reply) =>
    refuse(options, reply, request, new TurnupError("not_found", "There is nothing at this address.")),
  );
  app.setErrorHandler((error, request, reply) => refuse(options, reply, request, error));
  return app;
}

/** @throws TurnupError `token_missing`, `token_unknown`, `too_many_requests` */
function admit({ secret, monotonicMs }: ManageDoorOptions, wrong: Allowance, request: FastifyRequest): void {
  const given = request.headers.authorization;
  const wait = wrong.secondsUntilAllowed(request.ip, monotonicMs());
  if (wait > 0)
    throw new TurnupError("too_many_requests", "Too many wrong secrets came from this address.", {
      nextStep: `Wait ${wait} seconds.`,
    });
  if (given !== undefined && timingSafeEqual(digest(given), digest(`Bearer ${secret()}`))) return;
  wrong.take(request.ip, monotonicMs());
  if (given === undefined)
    throw new TurnupError("token_missing", "This door answers only with its secret.", {
      nextStep: "Send the header 'Authorization: Bearer ...' with proxy.manage_secret.",
    });
  throw new TurnupError("token_unknown", "This is not the secret of this proxy.");
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

function mountAccounts(app: FastifyInstance, { edge, journal, now }: ManageDoorOptions): void {
  const path = accountPath(":deviceId");
  app.put(path, async (request) => {
    const deviceId = deviceIn(request);
    const { blocked, ...sim } = readWantedAccount(request.body, "");
    await journal.append([
      ...edge.keepAccount({ deviceId, ...sim }, now()),
      ...edge.setBlocked(deviceId, blocked, now()),
    ]);
    return standing(edge.accountOf(deviceId));
  });
  app.get(path, async (request) => standing(edge.accountOf(deviceIn(request))));
  app.post(ACCOUNT_CHANGES_PATH, { bodyLimit: CHANGES_OCTETS_MAX }, async (request) => {
    const changes = readAccountChanges(request.body, "");
    await journal.append(edge.takeChanges(changes, now()));
    return { version: edge.versionOf(changes.list) };
  });
  app.delete(path, async (request, reply) => {
    await journal.append(edge.closeAccount(deviceIn(request), now()));
    return reply.status(204).send();
  });
}

const deviceIn = ({ params }: FastifyRequest): string => readDeviceId(membersOf(params).deviceId, "deviceId");

/** @throws TurnupError `account_not_found` */
function standing(account: Account | undefined): StandingAccount {
  if (!account) throw new TurnupError("account_not_found", "This device has no account at this proxy.");
  return { deviceId: account.deviceId, bond: account.bond, blocked: account.isBlocked };
}

function refuse(
  { onFault }: ManageDoorOptions,
  reply: FastifyReply,
  request: FastifyRequest,
  error: unknown,
): FastifyReply {
  const known =
    error instanceof ShapeError ? new TurnupError("invalid_request", sentenceOf(error.message)) : error;
  const { problem, isOurs, headers } = problemOf(known, String(request.id));
  if (isOurs && error instanceof Error) onFault(error);
  return reply.status(problem.status).headers(headers).type(PROBLEM_MEDIA_TYPE).send(problem);
}
