/** The CAMARA APIs of this server: whose tokens count, and what is known of lines and handsets. */
import { Counter, type Registry } from "prom-client";
import { Allowance } from "../../http/allowance.ts";
import { accessOf } from "../../http/camara/access-token.ts";
import type { CamaraDeps } from "../../http/camara/camara-operation.ts";
import type { ExposureClient } from "../../kernel/exposure/access.ts";
import type { LineReader } from "../../kernel/exposure/line.ts";
import { parseImei, tacOf } from "../../term/imei.ts";
import { readCamaraPlace } from "../config/camara-config.ts";
import type { Config } from "../config/config.ts";
import type { PortalOperators } from "./device-doors.ts";
import type { Knowledge } from "./knowledge.ts";

const MINUTE_MS = 60_000;
const CLIENTS_MAX = 10_000;

type CamaraParts = {
  readonly lines: LineReader;
  readonly operators: Pick<PortalOperators, "idOf">;
  readonly knowledge: Pick<Knowledge, "deviceOf">;
  readonly sealer: { blindIndex(domain: string, operatorId: string, text: string): Buffer };
  readonly clock: () => Date;
  readonly registry: Registry;
  readonly onFault: (name: string, error: unknown) => void;
};

/** Undefined where the configuration has none of it. @throws TurnupError `config_invalid`, `file_unreadable` */
export async function camaraDeps(
  config: Pick<Config, "camara">,
  parts: CamaraParts,
): Promise<CamaraDeps | undefined> {
  const place = await readCamaraPlace(config);
  if (!place) return undefined;
  const { camara } = config;
  const { lines, operators, knowledge, sealer, clock, registry, onFault } = parts;
  const byId = new Map(place.clients.map((client) => [client.clientId, client]));
  const rules = {
    ...{ keys: place.keys, issuer: place.issuer, audience: place.audience },
    numberClaim: camara.numberClaim,
    networkMethods: camara.networkMethods.split(",").map((method) => method.trim()),
    nowMs: () => clock().getTime(),
    async clientOf(clientId: string): Promise<ExposureClient | undefined> {
      const known = byId.get(clientId);
      const operatorId = known && (await operators.idOf(known.operator));
      if (!known || operatorId === undefined) return undefined;
      const { scopes, withoutSubscriber: scopesWithoutSubscriber = [] } = known;
      return { clientId, operatorId, scopes, scopesWithoutSubscriber };
    },
  };
  return {
    ...{ lines, clock },
    monotonicMs: () => performance.now(),
    accessOf: (authorization) => accessOf(rules, authorization),
    monitoredDays: camara.monitoredDays ?? null,
    typeOf(operatorId, imei) {
      const { make, model } = knowledge.deviceOf(operatorId, tacOf(parseImei(imei)));
      return make === null || model === null ? null : { make, model };
    },
    pseudonymOf: ({ operatorId, clientId }, imei) =>
      sealer.blindIndex(`ppid ${clientId}`, operatorId, imei).toString("base64url"),
    perClient: new Allowance({
      perWindow: camara.requestsPerMinute,
      windowMs: MINUTE_MS,
      keysMax: CLIENTS_MAX,
    }),
    answered: countCamara(registry),
    onFault: (error) => onFault("camara", error),
  };
}

export const countCamara = (registry: Registry): CamaraDeps["answered"] =>
  new Counter({
    name: "turnup_camara_answers_total",
    help: "Answers of the CAMARA APIs, by operation and CAMARA's code; OK for what was told.",
    labelNames: ["operation", "code"],
    registers: [registry],
  });
