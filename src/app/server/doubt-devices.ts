/**
 * Looks whether handsets are what their IMEIs say: whenever one says something new of itself or is seen on a radio for the first time, and
 * again and again at those that had several SIMs. What it comes to stands as a doubt; the rules are those of `kernel/detection`.
 */
import type { Registry } from "prom-client";
import { CLONE_WINDOW_MS, cloneIn } from "../../kernel/detection/clone.ts";
import { doubtOfClone, doubtOfModel, doubtOfSpecial } from "../../kernel/detection/doubts.ts";
import { falseModelIn } from "../../kernel/detection/false-model.ts";
import { imeiClassOf } from "../../kernel/detection/special-imei.ts";
import { listOperators } from "../../store/operator/operators.ts";
import { createImeiDoubts } from "../../store/sightings/imei-doubts.ts";
import { createSharedDevices } from "../../store/sightings/shared-devices.ts";
import { groupBy } from "../../term/collections.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { startLoop } from "./loop.ts";
import type { Stores } from "./open-stores.ts";
import { measureDoubts, setOpenDoubts } from "./source-measures.ts";

/** What handsets said is written and judged so often; where nothing was said, nothing is asked. */
const SAID_MS = 2_000;
/** Handsets with several SIMs. */
const SHARED_MS = 60_000;
/** A handset with a false IMEI is looked at again so often: an import, or an approved row, may say what model it is of. */
const MODELS_AGAIN_MS = 600_000;
const MODELS_BATCH = 200;
/** Orders whose handsets are looked at at once; of a flood all are met by the walk over orders, minutes later. */
const FRESH_MAX = 500;
/** Shared handsets of one look; the rest are looked at at once behind it. */
const SHARED_BATCH = 200;
/** Pages of orders that are walked for one operator in one look. */
const WALKS_MAX = 20;

type Looking = Pick<Stores, "database" | "sealer" | "newId" | "clock" | "knowledge" | "deviceStatements">;

type Doubting = {
  /** A SIM came into a handset. */
  came(operatorId: string, deviceId: string): void;
};

export function doubtDevices(
  closing: ClosingStack,
  stores: Looking,
  {
    measures,
    onFault,
  }: { readonly measures: Registry; readonly onFault: (name: string, error: unknown) => void },
): Doubting {
  const gauges = measureDoubts(measures);
  const shared = createSharedDevices({ ...stores, countryOfNetwork: stores.knowledge.countryOfNetwork });
  const doubts = createImeiDoubts(stores);
  /** Kept until it is judged and booked, whatever becomes of the database. */
  const unjudged = new Map<string, Words[number]>();
  /** By operator, since the last look. */
  const fresh = new Map<string, string[]>();
  const book = async (looks: Looks): Promise<void> => {
    for (const [kind, own] of groupBy(looks, (one) => one.kind)) gauges.found(kind, await doubts.book(own));
  };
  const said = startLoop({
    name: "device_statements",
    pauseMs: SAID_MS,
    pass: async () => {
      for (const one of await stores.deviceStatements.flush()) unjudged.set(one.deviceId, one);
      await book(modelLooks(stores, [...unjudged.values()]));
      unjudged.clear();
      for (const [operatorId, deviceIds] of fresh) {
        fresh.delete(operatorId);
        if ((await shared.seen(operatorId, deviceIds)) > 0) places.wake();
      }
      return false;
    },
    onFailure: onFault,
  });
  const places = startLoop({
    name: "shared_devices",
    pauseMs: SHARED_MS,
    pass: async () => {
      for (const { id } of await listOperators(stores.database))
        for (let walks = 0; walks < WALKS_MAX; walks++) if (!(await shared.gather(id))) break;
      const again = new Date(stores.clock().getTime() - MODELS_AGAIN_MS);
      const doubted = await doubts.modelsUnconfirmed(again, MODELS_BATCH);
      if (doubted.length > 0)
        await book(modelLooks(stores, await stores.deviceStatements.ofDevices(doubted)));
      const sinceMs = stores.clock().getTime() - 2 * CLONE_WINDOW_MS;
      const devices = await shared.take(SHARED_BATCH, sinceMs);
      await book(devices.flatMap(placeLooks));
      setOpenDoubts(gauges.open, await doubts.countOpen());
      return devices.length === SHARED_BATCH;
    },
    onFailure: onFault,
  });
  closing.defer(async () => {
    await Promise.all([said.stop(), places.stop()]);
    await stores.deviceStatements.flush().catch((error: unknown) => onFault("device_statements", error));
  });
  return {
    came(operatorId, deviceId) {
      const waiting = fresh.get(operatorId);
      if (!waiting) fresh.set(operatorId, [deviceId]);
      else if (waiting.length < FRESH_MAX) waiting.push(deviceId);
    },
  };
}

type Looks = Parameters<ReturnType<typeof createImeiDoubts>["book"]>[0];

type Words = Awaited<ReturnType<Stores["deviceStatements"]["ofDevices"]>>;

/** What handsets say, against what lists say of their TACs. */
const modelLooks = ({ knowledge }: Pick<Looking, "knowledge">, words: Words): Looks =>
  words.map(({ operatorId, deviceId, tac, said, radios }) => {
    const found = falseModelIn(knowledge.deviceOf(operatorId, tac), said, radios);
    return { operatorId, deviceId, kind: "false_model", found: found && doubtOfModel(found) };
  });

/** Two handsets with one number are not one again because they were silent: nothing that is not seen any more ends such a doubt. */
function placeLooks({
  operatorId,
  deviceId,
  imei,
  seen,
}: Awaited<ReturnType<ReturnType<typeof createSharedDevices>["take"]>>[number]): Looks {
  const special = doubtOfSpecial(imeiClassOf(imei));
  if (special) return [{ operatorId, deviceId, kind: "special", found: special }];
  const clone = cloneIn(imei, seen);
  return clone === null ? [] : [{ operatorId, deviceId, kind: "clone", found: doubtOfClone(clone) }];
}
