/** What can be received by our client module alone. */
import type { CatalogItem } from "../catalog/catalog-item.ts";

/** Software, its activation and its parameters are received by our client module alone. */
export const needsClient = ({ content, service }: CatalogItem): boolean =>
  [content.kind, service?.module?.kind ?? "none"].some((kind) => !["none", "settings"].includes(kind));
