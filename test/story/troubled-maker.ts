/**
 * A manufacturer's key server that does wrong on demand: the real doors over mutual TLS, with the decisions behind them
 * or the door itself spoiled. `mode` says how, from now on.
 */
import { createHash, randomBytes, randomUUID } from "node:crypto";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { makerClient, WORLD, type World } from "../../src/app/world.ts";
import { type MakerRefusal, makerDoors } from "../../src/http/maker/server.ts";
import { createKeyServer, type KeyServer } from "../../src/maker/key-server.ts";
import { imeiFromNetwork } from "../../src/term/imei.ts";
import type { KeyAnswer, KeyRequest } from "../../src/wire/message/maker-api.ts";
import { whenDone } from "../when-done.ts";

export type Trouble =
  | "none"
  | "down"
  | "slow"
  | "busy"
  | "no_json"
  | "refuses"
  | "answers_another_request"
  | "key_of_another_handset"
  | "bad_signature"
  | "run_out_key";

export type TroubledMaker = {
  readonly url: string;
  mode: Trouble;
  /** Requests for keys that came to its door. */
  asked: number;
  readonly keyServer: KeyServer;
  readonly refusals: readonly MakerRefusal[];
};

/** Longer than the time that stories give a key server. */
export const SLOW_MS = 600;
export const PATIENT_MS = 300;
const DAY_MS = 86_400_000;

export async function troubledMaker(world: World): Promise<TroubledMaker> {
  const { certificates } = world.parties;
  const refusals: MakerRefusal[] = [];
  const keyServer = createKeyServer(
    {
      issuer: WORLD.issuer,
      signingKey: certificates.signing.privateKey,
      indexSecret: createHash("sha256").update("troubled").digest(),
      clients: [makerClient()],
      modelOf: () => ({ make: "any", model: "any" }),
      offerOf: () => ({
        accessPoints: [
          { apn: WORLD.makerApn, use: "maker", authType: "none", mmsc: `http://${WORLD.makerHost}/m` },
        ],
        hosts: [WORLD.makerHost],
      }),
      deleteAfterUse: true,
      validityMs: 365 * DAY_MS,
    },
    (octets) => Uint8Array.from(randomBytes(octets)),
  );
  const maker: TroubledMaker = { url: "", mode: "none", asked: 0, keyServer, refusals };
  const app = makerDoors({
    keyServer: {
      ...keyServer,
      issue: (client, requests, now) => spoiled(maker.mode, keyServer, client, requests, now),
    },
    journal: { append: async () => undefined },
    tls: { ...certificates.server, authority: certificates.authority },
    now: () => new Date(),
    onRefused: (refusal) => refusals.push(refusal),
    onFault: () => undefined,
  });
  app.addHook("onRequest", async (request, reply) => {
    if (request.url === "/v1/keys") maker.asked++;
    if (maker.mode === "down") request.raw.destroy();
    if (maker.mode === "slow") await sleep(SLOW_MS);
    if (maker.mode === "busy") await reply.code(503).send({ code: "maker_unavailable" });
    if (maker.mode === "no_json") await reply.code(200).type("text/html").send("<h1>Welcome</h1>");
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  whenDone(() => app.close());
  return Object.assign(maker, { url: `https://127.0.0.1:${(app.server.address() as AddressInfo).port}` });
}

type Issue = KeyServer["issue"];

function spoiled(
  mode: Trouble,
  keyServer: KeyServer,
  client: Parameters<Issue>[0],
  requests: readonly KeyRequest[],
  now: Date,
): ReturnType<Issue> {
  const answered = (change: (answer: KeyAnswer) => KeyAnswer): ReturnType<Issue> => {
    const decision = keyServer.issue(client, requests, now);
    return { ...decision, answer: decision.answer.map(change) };
  };
  /** Under ids of their own, so that the right key can still be asked for under the right ones. */
  const asOtherRequests = (others: readonly KeyRequest[], at: Date): ReturnType<Issue> => {
    const decision = keyServer.issue(
      client,
      others.map((request) => ({ ...request, requestId: randomUUID() })),
      at,
    );
    return {
      ...decision,
      answer: decision.answer.map((answer, place) => ({ ...answer, requestId: requests[place]!.requestId })),
    };
  };
  switch (mode) {
    case "refuses":
      return {
        answer: requests.map(({ requestId }) => ({
          requestId,
          refused: { code: "blocked_device", reason: "this handset is on the manufacturer's block list" },
        })),
        events: [],
      };
    case "answers_another_request":
      return answered((answer) => ({ ...answer, requestId: "00000000-0000-7000-8000-000000000000" }));
    case "key_of_another_handset":
      return asOtherRequests(requests.map(ofAnotherHandset), now);
    case "bad_signature":
      return answered((answer) =>
        "key" in answer ? { ...answer, key: lastOctetFlipped(answer.key) } : answer,
      );
    case "run_out_key":
      return asOtherRequests(requests, new Date(now.getTime() - 800 * DAY_MS));
    default:
      return keyServer.issue(client, requests, now);
  }
}

/** Its neighbour of the same model. */
function ofAnotherHandset(request: KeyRequest): KeyRequest {
  const imei = request.uniqueId!.imei;
  const serial = String((Number(imei.slice(8, 14)) + 1) % 1_000_000).padStart(6, "0");
  return { ...request, uniqueId: { imei: imeiFromNetwork(imei.slice(0, 8) + serial) } };
}

function lastOctetFlipped(key: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(key);
  copy[copy.length - 1]! ^= 1;
  return copy;
}
