/**
 * Management sessions of devices: each message is answered by the kernel out of what is kept of its device, and what it shows is in the
 * order's books before the device is answered. Of two messages of one device at once the second is looked at again after the first.
 */
import { createHash } from "node:crypto";
import {
  exchange,
  type ManagedDevices,
  type ManagementOutcome,
  type ManagementReply,
  type ManagementRequest,
  type ManagementStanding,
} from "../../kernel/management/exchange.ts";
import type { ManagementFact } from "../../kernel/management/session.ts";
import type { SettingsValues } from "../../kernel/payload/settings-values.ts";
import { TurnupError } from "../../term/error.ts";
import { minutesAfter } from "../../term/moment.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import type { Database } from "../database/database.ts";
import { openJson, type Sealer } from "../seal/seal.ts";
import { ACCOUNT_DOMAIN } from "./management-rows.ts";

/** A device that is silent for longer begins a new session. */
const SESSION_MINUTES = 10;
const NONCE_OCTETS = 16;
const CONFLICTS_MAX = 3;
/** Proofs in a row that were none: after them the account takes no message for a while. */
const FAILURES_MAX = 10;
const REST_MINUTES = 10;

const FIND = {
  name: "find_management_account", // management_account_token_hash_key
  text: `select id, operator_id as "operatorId", sealed, version, session_until as "sessionUntil", failures, updated_at as "updatedAt"
           from management_account where token_hash = $1`,
};
const TASK = {
  name: "open_management_task", // management_task_open
  // Of an order that was given up nothing is set any more.
  text: `select t.id, t.order_id as "orderId", t.item_id as "itemId", t.settings_sealed as sealed
           from management_task t join provisioning_order o on o.id = t.order_id
          where t.account_id = $1 and t.ended_at is null and t.expires_at > $2 and o.state <> 'cancelled' order by t.id desc limit 1`,
};
const KEEP = {
  name: "keep_management_account", // management_account_pkey
  text: `update management_account
            set sealed = $3, version = version + 1, session_until = $4, failures = $5, updated_at = $6,
                proved_at = case when $7 then coalesce(proved_at, $6) else proved_at end
          where id = $1 and version = $2 returning id`,
};

type Account = {
  readonly id: string;
  readonly operatorId: string;
  readonly sealed: Buffer;
  readonly version: number;
  readonly sessionUntil: Date | null;
  readonly failures: number;
  readonly updatedAt: Date;
};
type Task = {
  readonly id: string;
  readonly orderId: string;
  readonly itemId: string;
  readonly sealed: Buffer;
};

type ManagedDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly clock: () => Date;
  readonly randomBytes: (octets: number) => Uint8Array;
  /** Books what a session shows of its order, once, whatever is told twice. */
  readonly onShown: (shown: {
    readonly orderId: string;
    readonly itemId: string;
    readonly taskId: string;
    readonly fact: ManagementFact;
  }) => Promise<void>;
  /** What of these settings may go out now; undefined: nothing. */
  readonly shownOf: (
    settings: SettingsValues,
    of: { readonly operatorId: string; readonly orderId: string },
  ) => Promise<SettingsValues | undefined>;
};

export const createManagedDevices = (deps: ManagedDeps): ManagedDevices => ({
  async exchange(token, request) {
    for (let time = 1; ; time++) {
      const reply = await once(deps, token, request);
      if (reply !== "overtaken") return reply;
      if (time === CONFLICTS_MAX)
        throw new TurnupError("too_many_requests", "Messages of one device came at once.", {
          nextStep: "Send one message after the other.",
        });
    }
  },
});

async function once(
  deps: ManagedDeps,
  token: string,
  request: ManagementRequest,
): Promise<ManagementReply | undefined | "overtaken"> {
  const { database, clock } = deps;
  const now = clock();
  const account = await database.one<Account>(FIND, [createHash("sha256").update(token).digest()]);
  if (!account) return undefined;
  if (account.failures >= FAILURES_MAX && minutesAfter(account.updatedAt, REST_MINUTES) > now)
    throw new TurnupError("too_many_requests", "Too many messages of this device proved nothing.", {
      nextStep: `Wait ${REST_MINUTES} minutes.`,
    });
  const task = await database.one<Task>(TASK, [account.id, now]);
  const values =
    task && (await deps.shownOf(openJson(deps.sealer, "settings", task.sealed), { ...account, ...task }));
  const outcome = outcomeOf(deps, account, { now, request, values });
  if (task)
    for (const fact of outcome.facts)
      await deps.onShown({ orderId: task.orderId, itemId: task.itemId, taskId: task.id, fact });
  const kept = await keep(deps, account, outcome, now);
  return kept ? { body: Buffer.from(outcome.answer.body, "base64"), mac: outcome.answer.mac } : "overtaken";
}

function outcomeOf(
  { sealer, randomBytes }: ManagedDeps,
  account: Account,
  given: {
    readonly now: Date;
    readonly request: ManagementRequest;
    readonly values: SettingsValues | undefined;
  },
): ManagementOutcome {
  const standing = openJson<ManagementStanding>(sealer, ACCOUNT_DOMAIN, account.sealed);
  const isLive = account.sessionUntil !== null && account.sessionUntil > given.now;
  const freshNonce = (): string => Buffer.from(randomBytes(NONCE_OCTETS)).toString("base64");
  try {
    return exchange(
      isLive ? standing : { ...standing, session: null, last: null },
      given.values ?? null,
      given.request,
      freshNonce,
    );
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new TurnupError("payload_malformed", `No message of OMA DM: ${error.message}.`, {
      nextStep: "Send SyncML 1.2 as XML or WBXML, as its content type says.",
    });
  }
}

async function keep(
  { database, sealer }: ManagedDeps,
  account: Account,
  { standing, proof }: ManagementOutcome,
  now: Date,
): Promise<boolean> {
  const rows = await database.rows(KEEP, [
    ...[account.id, account.version, sealer.seal(ACCOUNT_DOMAIN, JSON.stringify(standing))],
    ...[minutesAfter(now, SESSION_MINUTES), failuresAfter(account, proof), now, proof === "proved"],
  ]);
  return rows.length > 0;
}

/** After a rest they are counted anew: a device that has to be challenged first would else never come to its proof. */
function failuresAfter({ failures }: Account, proof: ManagementOutcome["proof"]): number {
  const before = failures >= FAILURES_MAX ? 0 : failures;
  return proof === "proved" ? 0 : proof === "none" ? before + 1 : before;
}
