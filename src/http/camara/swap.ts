/** CAMARA Device Swap 1.0.0 and SIM Swap 2.1.0: when a line's handset, or a number's SIM, was last another one. */
import { type Access, numberOf, RefusalError } from "../../kernel/exposure/access.ts";
import { changedWithin, isBeyondMonitoring, type Line, toldChange } from "../../kernel/exposure/line.ts";
import type { CamaraDeps, CamaraOperation } from "./camara-operation.ts";

/** Hours: of the schemas CreateCheckDeviceSwap and CreateCheckSimSwap. */
const MAX_AGE = { min: 1, max: 2_400, default: 240 } as const;

type Swap = {
  readonly base: string;
  readonly scope: string;
  /** Of the answer. */
  readonly field: string;
  /** Null: no change is known. @throws RefusalError `SERVICE_NOT_APPLICABLE` */
  since(line: Line): Date | null;
};

const swapOperations = ({ base, scope, field, since }: Swap): readonly CamaraOperation[] => [
  {
    method: "POST",
    path: `${base}/retrieve-date`,
    scopes: [scope, `${scope}:retrieve-date`],
    async answer(deps, access, body) {
      const line = await lineOf(deps, access, body);
      const { at, monitoredDays } = toldChange(since(line), deps.monitoredDays, deps.clock());
      return {
        [field]: at === null ? null : at.toISOString(),
        ...(monitoredDays !== undefined && { monitoredPeriod: monitoredDays }),
      };
    },
  },
  {
    method: "POST",
    path: `${base}/check`,
    scopes: [scope, `${scope}:check`],
    async answer(deps, access, body) {
      const hours = maxAgeIn(body.maxAge, deps.monitoredDays);
      const line = await lineOf(deps, access, body);
      return { swapped: changedWithin(since(line), hours, deps.clock()) };
    },
  },
];

export const deviceSwap = swapOperations({
  base: "/device-swap/v1",
  scope: "device-swap",
  field: "latestDeviceChange",
  since({ device }) {
    if (!device) throw new RefusalError("SERVICE_NOT_APPLICABLE", "The number was never seen in a device.");
    return device.since;
  },
});

export const simSwap = swapOperations({
  base: "/sim-swap/v2",
  scope: "sim-swap",
  field: "latestSimChange",
  since: ({ simSince }) => simSince,
});

async function lineOf(
  deps: CamaraDeps,
  access: Access,
  { phoneNumber }: Readonly<Record<string, unknown>>,
): Promise<Line> {
  if (phoneNumber !== undefined && typeof phoneNumber !== "string")
    throw new RefusalError("INVALID_ARGUMENT", "phoneNumber is text.");
  const line = await deps.lines.lineOf(access.client.operatorId, numberOf(access, phoneNumber));
  if (!line) throw new RefusalError("IDENTIFIER_NOT_FOUND", "The phone number is none of this operator's.");
  return line;
}

function maxAgeIn(given: unknown, monitoredDays: number | null): number {
  const hours = given ?? MAX_AGE.default;
  if (typeof hours !== "number" || !Number.isInteger(hours))
    throw new RefusalError("INVALID_ARGUMENT", "maxAge is a whole number of hours.");
  if (hours < MAX_AGE.min || hours > MAX_AGE.max)
    throw new RefusalError("OUT_OF_RANGE", `maxAge is ${MAX_AGE.min} to ${MAX_AGE.max} hours.`);
  if (isBeyondMonitoring(hours, monitoredDays))
    throw new RefusalError("OUT_OF_RANGE", `Changes are told for ${monitoredDays} days.`);
  return hours;
}
