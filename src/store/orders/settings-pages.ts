/**
 * The pages behind links in text messages: found by the hash of their token, looked at freely, opened once as proof.
 * Subscribers who come at the same moment, as after a campaign, are looked up together.
 */

import { createHash } from "node:crypto";
import type { PhoneMenuRow } from "../../kernel/devices/phone-menus.ts";
import { composeAppleProfile } from "../../kernel/payload/apple-profile.ts";
import type { LinkedSettings, SettingsPage, SettingsPages } from "../../kernel/payload/settings-page.ts";
import type { SettingsValues } from "../../kernel/payload/settings-values.ts";
import { createCoalescer } from "../database/coalescer.ts";
import type { Database } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";

const FIND = {
  name: "find_link", // link_token_hash_key
  text: `select q.at::int as at, l.id, l.order_id as "orderId", l.item_id as "itemId", l.operator_id as "operatorId", l.settings_sealed as sealed, l.expires_at as "expiresAt",
                l.opened_at as "openedAt", l.downloaded_at as "downloadedAt", o.name as "operatorName", p.make, p.model
           from unnest($1::bytea[]) with ordinality as q(token_hash, at) join link l on l.token_hash = q.token_hash
           join operator o on o.id = l.operator_id join provisioning_order p on p.id = l.order_id`,
};
const MARK_OPENED = {
  name: "mark_links_opened", // link_pkey
  text: "update link set opened_at = $2 where id = any($1::uuid[]) and opened_at is null",
};
/** One of many downloads at once is the first: in the transaction that books it, so that what was not booked was not claimed. */
export const CLAIM_DOWNLOAD = {
  name: "claim_link_download", // link_pkey
  text: "update link set downloaded_at = $2 where id = $1 and downloaded_at is null returning id",
};
const TOGETHER = { maxBatchRows: 500, maxBatchesAtOnce: 2, maxWaitingRows: 10_000 };

type Link = {
  readonly at: number;
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly operatorId: string;
  readonly sealed: Buffer;
  readonly expiresAt: Date;
  readonly openedAt: Date | null;
  readonly downloadedAt: Date | null;
  readonly operatorName: string;
  readonly make: string | null;
  readonly model: string | null;
};

type PagesDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
  /** Books the first opening; a repeat changes nothing. */
  readonly onOpened: (orderId: string, itemId: string) => Promise<void>;
  /** Books the first download of its profile. */
  readonly onDownloaded: (download: {
    readonly orderId: string;
    readonly itemId: string;
    readonly linkId: string;
  }) => Promise<void>;
  /** What the phone says of itself that a person opened a page with, or fetched its profile. */
  readonly onSaid: (said: {
    readonly operatorId: string;
    readonly orderId: string;
    readonly userAgent: string;
  }) => void;
  readonly menusOf: (operatorId: string) => readonly PhoneMenuRow[];
  readonly shownOf: ShownOf;
};

/** What of an order's settings may be shown now; undefined: nothing. */
export type ShownOf = <Values extends SettingsValues>(
  settings: Values,
  order: { readonly operatorId: string; readonly orderId: string },
) => Promise<Values | undefined>;

export function createSettingsPages(deps: PagesDeps): SettingsPages {
  const hashes = createCoalescer<Buffer, Link | undefined>({
    ...TOGETHER,
    async work(batch) {
      const links = await deps.database.rows<Link>(FIND, [batch.map(({ row }) => row)]);
      const found = new Map(links.map((link) => [link.at - 1, link]));
      for (const [at, { answer }] of batch.entries()) answer(found.get(at));
    },
  });
  const openings = createCoalescer<string, void>({
    ...TOGETHER,
    async work(batch) {
      await deps.database.run(MARK_OPENED, [batch.map(({ row }) => row), deps.clock()]);
      for (const { answer } of batch) answer();
    },
  });
  const find = async (token: string): Promise<Link | undefined> =>
    hashes.put([createHash("sha256").update(token).digest()])[0];
  return {
    async look(token) {
      const link = await find(token);
      if (!link) return undefined;
      const state = link.expiresAt <= deps.clock() ? "expired" : "ready";
      return { state, operatorName: link.operatorName };
    },
    async open(token, userAgent = "") {
      const link = await find(token);
      if (!link) return undefined;
      const page = await pageOf(deps, link);
      if (page.state === "open") hear(deps, link, userAgent);
      if (page.state === "open" && link.openedAt === null) {
        await deps.onOpened(link.orderId, link.itemId);
        await openings.put([link.id])[0];
      }
      return page;
    },
    async turn(token) {
      const link = await find(token);
      if (!link) return undefined;
      const page = await pageOf(deps, link);
      const isUnopened = page.state === "open" && link.openedAt === null;
      return isUnopened ? { state: "ready", operatorName: link.operatorName } : page;
    },
    async profile(token, { userAgent = "", ...wish }) {
      const link = await find(token);
      if (!link) return undefined;
      const shown = link.expiresAt <= deps.clock() ? undefined : await shownOf(deps, link);
      if (!shown) return { state: "expired" };
      if (link.openedAt === null) return { state: "unopened" };
      hear(deps, link, userAgent);
      const bytes = composeAppleProfile(shown, { ...wish, operatorId: link.operatorId });
      if (!bytes) return undefined;
      if (!wish.isRemoval && link.downloadedAt === null) {
        const { id: linkId, orderId, itemId } = link;
        await deps.onDownloaded({ orderId, itemId, linkId });
      }
      return { state: "ready", bytes };
    },
  };
}

function hear({ onSaid }: Pick<PagesDeps, "onSaid">, { operatorId, orderId }: Link, userAgent: string): void {
  if (userAgent !== "") onSaid({ operatorId, orderId, userAgent });
}

async function pageOf(deps: PagesDeps, link: Link): Promise<SettingsPage> {
  const { operatorName, operatorId, make, model } = link;
  const shown = link.expiresAt <= deps.clock() ? undefined : await shownOf(deps, link);
  if (!shown) return { state: "expired", operatorName };
  const { points, page: form = "by_hand" } = shown;
  return { state: "open", operatorName, make, model, form, points, menus: deps.menusOf(operatorId) };
}

const shownOf = (deps: PagesDeps, link: Link): Promise<LinkedSettings | undefined> =>
  deps.shownOf(openJson<LinkedSettings>(deps.sealer, "settings", link.sealed), link);

type Asks = {
  /** Whether access points that nobody confirmed may go out for this operator now. */
  readonly maySendUnconfirmed: (operatorId: string) => Promise<boolean>;
  /** Whether the handset of an order is to get no key any more, by what its operator says now. */
  readonly isKeyWithheld: (order: {
    readonly operatorId: string;
    readonly orderId: string;
  }) => Promise<boolean>;
};

export const createShownOf =
  ({ maySendUnconfirmed, isKeyWithheld }: Asks): ShownOf =>
  async (settings, order) => {
    const { points, unconfirmed, keyApns = [] } = settings;
    if (unconfirmed && !(await maySendUnconfirmed(order.operatorId))) return undefined;
    const isWithheld = keyApns.length > 0 && (await isKeyWithheld(order));
    const shown = isWithheld ? points.filter(({ apn }) => !keyApns.includes(apn)) : points;
    return shown.length === 0 ? undefined : { ...settings, points: shown };
  };
