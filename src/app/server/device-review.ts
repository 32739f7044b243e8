/** What the doors need for unknown models and doubted IMEIs, and what the pages behind links hear of handsets. */
import type { HttpDeps } from "../../http/ports.ts";
import { createModelProposals } from "../../store/dataset/reviewed-models.ts";
import type { createSettingsPages } from "../../store/orders/settings-pages.ts";
import { createImeiDoubts } from "../../store/sightings/imei-doubts.ts";
import { createSightingConflicts } from "../../store/sightings/sighting-conflicts.ts";
import { createUnknownModels } from "../../store/sightings/unknown-models.ts";
import type { Opened } from "./start-work.ts";

/** What sources tell and contradict each other about, what models are that no list names, and whether handsets are what their IMEIs say. */
export const reviewDeps = (
  stores: Opened["stores"],
  sightingSources: HttpDeps["sightingSources"],
): Pick<
  HttpDeps,
  | "sightingSources"
  | "sightingConflicts"
  | "unknownModels"
  | "modelProposals"
  | "imeiDoubts"
  | "heardOfDevice"
> => ({
  sightingSources,
  sightingConflicts: createSightingConflicts(stores),
  unknownModels: createUnknownModels(stores.database, stores.knowledge.deviceOf, stores.deviceStatements),
  modelProposals: createModelProposals(stores),
  imeiDoubts: createImeiDoubts(stores),
  heardOfDevice: stores.deviceStatements.note,
});

/** Whoever fetches a page or a profile says it as a browser does: links are handed on, so it is no word of the handset's own. */
export const saidOf =
  ({ deviceStatements, clock }: Opened["stores"]): Parameters<typeof createSettingsPages>[0]["onSaid"] =>
  ({ operatorId, orderId, userAgent }) =>
    deviceStatements.note({
      ...{ operatorId, device: { orderId }, at: clock() },
      ...{ source: "user_agent", value: userAgent },
    });
