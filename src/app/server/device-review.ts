/** What the doors need for unknown models and doubted IMEIs, and what the pages behind links hear of handsets. */
import type { HttpDeps } from "../../http/ports.ts";
import { appleProductIn } from "../../kernel/detection/said-of-device.ts";
import { createModelProposals } from "../../store/dataset/reviewed-models.ts";
import type { createSettingsPages } from "../../store/orders/settings-pages.ts";
import { createImeiDoubts } from "../../store/sightings/imei-doubts.ts";
import { createUnknownModels } from "../../store/sightings/unknown-models.ts";
import type { Opened } from "./start-work.ts";

/** What models are that no list names, and whether handsets are what their IMEIs say. */
export const reviewDeps = (
  stores: Opened["stores"],
): Pick<HttpDeps, "unknownModels" | "modelProposals" | "imeiDoubts" | "heardOfDevice"> => ({
  unknownModels: createUnknownModels(stores.database, stores.knowledge.deviceOf, stores.deviceStatements),
  modelProposals: createModelProposals(stores),
  imeiDoubts: createImeiDoubts(stores),
  heardOfDevice: stores.deviceStatements.note,
});

/** An Apple device that fetches a profile may name its product beside its browser. */
export const saidOf =
  ({ deviceStatements, clock }: Opened["stores"]): Parameters<typeof createSettingsPages>[0]["onSaid"] =>
  ({ operatorId, orderId, userAgent }) => {
    const of = { operatorId, device: { orderId }, at: clock() };
    deviceStatements.note({ ...of, source: "user_agent", value: userAgent });
    const product = appleProductIn(userAgent);
    if (product !== undefined) deviceStatements.note({ ...of, source: "apple_product", value: product });
  };
