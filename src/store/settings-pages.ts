/** The pages behind links in text messages: found by the hash of their token, looked at freely, opened once as proof. */
import { createHash } from "node:crypto";
import type { SettingsPoint, SettingsValues } from "../kernel/payload/settings-values.ts";
import type { Database } from "./database.ts";
import type { Sealer } from "./seal.ts";

const FIND = {
  name: "find_link", // link_token_hash_key
  text: `select l.id, l.order_id as "orderId", l.item_id as "itemId", l.settings_sealed as sealed, l.expires_at as "expiresAt",
                l.opened_at as "openedAt", o.name as "operatorName", p.make, p.model
           from link l join operator o on o.id = l.operator_id join provisioning_order p on p.id = l.order_id
          where l.token_hash = $1`,
};
const MARK_OPENED = {
  name: "mark_link_opened",
  text: "update link set opened_at = $2 where id = $1 and opened_at is null",
};

export type StoredPage =
  | {
      readonly state: "open";
      readonly operatorName: string;
      readonly make: string | null;
      readonly model: string | null;
      readonly points: readonly SettingsPoint[];
    }
  | { readonly state: "ready"; readonly operatorName: string }
  | { readonly state: "expired"; readonly operatorName: string };
export type SettingsPages = {
  look(token: string): Promise<StoredPage | undefined>;
  open(token: string): Promise<StoredPage | undefined>;
};
type Link = {
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly sealed: Buffer;
  readonly expiresAt: Date;
  readonly openedAt: Date | null;
  readonly operatorName: string;
  readonly make: string | null;
  readonly model: string | null;
};

export function createSettingsPages(deps: {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
  /** Books the first opening; a repeat changes nothing. */
  readonly onOpened: (orderId: string, itemId: string) => Promise<void>;
}): SettingsPages {
  const find = (token: string): Promise<Link | undefined> =>
    deps.database.one<Link>(FIND, [createHash("sha256").update(token).digest()]);
  return {
    async look(token) {
      const link = await find(token);
      if (!link) return undefined;
      const state = link.expiresAt <= deps.clock() ? "expired" : "ready";
      return { state, operatorName: link.operatorName };
    },
    async open(token) {
      const link = await find(token);
      if (!link) return undefined;
      const { operatorName, make, model } = link;
      const now = deps.clock();
      if (link.expiresAt <= now) return { state: "expired", operatorName };
      if (link.openedAt === null) {
        await deps.onOpened(link.orderId, link.itemId);
        await deps.database.run(MARK_OPENED, [link.id, now]);
      }
      const { points } = JSON.parse(deps.sealer.open("settings", link.sealed)) as SettingsValues;
      return { state: "open", operatorName, make, model, points };
    },
  };
}
