/** Sessions of people in a browser, on PostgreSQL: found by the hash of their cookie, ended with their token. */
import type { RegistryPage } from "../../kernel/account/registry.ts";
import type { SessionRecord, Sessions, SessionView } from "../../kernel/account/session.ts";
import type { TokenRecord } from "../../kernel/account/token.ts";
import { hoursAfter, minutesAfter } from "../../term/moment.ts";
import { cutPage, END_OF_ORDER, START_OF_ORDER } from "../database/page.ts";
import { noteIn, type RegistryDeps } from "./audited.ts";

/** Sessions that were over this long are forgotten when another is opened; the audit keeps that they were. */
const FORGOTTEN_AFTER_HOURS = 7 * 24;

const TOKEN = `t.id as "tokenId", t.operator_id as "operatorId", t.role, t.label, t.make, t.person, t.vouched_by as "vouchedBy",
  t.expires_at as "expiresAt", t.revoked_at as "revokedAt"`;
const FIND_SESSION = {
  name: "find_console_session", // console_session_hash_key, api_token_pkey
  text: `select s.id as "sessionId", s.created_at as "createdAt", s.last_seen_at as "lastSeenAt", s.ended_at as "endedAt", ${TOKEN}
           from console_session s join api_token t on t.id = s.token_id where s.hash = $1`,
};
const OPEN_SESSION = {
  name: "open_console_session", // api_token_pkey
  text: `insert into console_session (id, operator_id, token_id, hash, browser, created_at, last_seen_at)
         select $1, t.operator_id, t.id, $4, $5, $6, $6 from api_token t where t.id = $3 and t.operator_id = $2`,
};
const FORGET_SESSIONS = {
  name: "forget_console_sessions", // console_session_of_operator
  text: "delete from console_session where operator_id = $1 and last_seen_at < $2",
};
const TOUCH_SESSION = {
  name: "touch_console_session", // console_session_pkey
  text: "update console_session set last_seen_at = greatest(last_seen_at, $2) where id = $1",
};
const END_SESSION = {
  name: "end_console_session", // console_session_pkey
  text: `update console_session set ended_at = $3, ended_by = $4
          where operator_id = $1 and id = $2 and ended_at is null`,
};
const listed = (order: "asc" | "desc") => ({
  name: `list_console_sessions_${order}`, // console_session_of_operator
  text: `select s.id, t.role, t.label, t.person, s.browser, s.created_at as "createdAt", s.last_seen_at as "lastSeenAt",
                s.ended_at as "endedAt", s.ended_by as "endedBy"
           from console_session s join api_token t on t.id = s.token_id
          where s.operator_id = $1 and s.id ${order === "asc" ? ">" : "<"} $2::uuid and s.ended_at is null
            and s.created_at > $4 and s.last_seen_at > $5 and t.revoked_at is null
            and (t.expires_at is null or t.expires_at > $6)
          order by s.id ${order} limit $3`,
});
const LISTED = { asc: listed("asc"), desc: listed("desc") };
const MAKE_LINK = {
  name: "make_sign_in_link", // sign_in_link_pkey
  text: "insert into sign_in_link (hash, token_id, made_at, expires_at) values ($1, $2, $3, $4)",
};
const FORGET_LINKS = {
  name: "forget_sign_in_links", // few rows: each lives for minutes
  text: "delete from sign_in_link where expires_at < $1",
};
const SPEND_LINK = {
  name: "spend_sign_in_link", // sign_in_link_pkey, api_token_pkey
  text: `update sign_in_link l set spent_at = $2 from api_token t
          where l.hash = $1 and l.spent_at is null and l.expires_at > $2 and t.id = l.token_id returning ${TOKEN}`,
};

type TokenColumns = Omit<TokenRecord, "id"> & { readonly tokenId: string };
type SessionRow = TokenColumns &
  Pick<SessionRecord, "createdAt" | "lastSeenAt" | "endedAt"> & { readonly sessionId: string };
type ListedRow = Omit<SessionView, "createdAt" | "lastSeenAt" | "endedAt"> &
  Pick<SessionRecord, "createdAt" | "lastSeenAt" | "endedAt">;

export function createSessions(deps: RegistryDeps): Sessions {
  const { database, clock } = deps;
  const note = noteIn(deps);
  return {
    async findByHash(hash) {
      const row = await database.one<SessionRow>(FIND_SESSION, [hash]);
      if (!row) return undefined;
      const { sessionId, createdAt, lastSeenAt, endedAt, ...token } = row;
      return { id: sessionId, createdAt, lastSeenAt, endedAt, token: recordOf(token) };
    },
    open: (operatorId, { id, hash, tokenId, browser }, actor) =>
      database.transaction(async (tx) => {
        await tx.run(FORGET_SESSIONS, [operatorId, hoursAfter(clock(), -FORGOTTEN_AFTER_HOURS)]);
        const opened = await tx.run(OPEN_SESSION, [id, operatorId, tokenId, hash, browser, clock()]);
        if (opened === 0) throw new Error("a session was asked for with another operator's token");
        await note(tx, operatorId, { actor, action: "session.open", subject: id });
      }),
    async touch(sessionId, at) {
      await database.run(TOUCH_SESSION, [sessionId, at]);
    },
    async list(operatorId, { idleMinutes, totalHours }, page) {
      const now = clock();
      const values = [hoursAfter(now, -totalHours), minutesAfter(now, -idleMinutes), now];
      const rows = await database.rows<ListedRow>(LISTED[page.order ?? "desc"], [
        operatorId,
        ...startOf(page),
        ...values,
      ]);
      return cutPage(rows.map(viewOf), page.limit);
    },
    end: (operatorId, sessionId, actor) =>
      database.transaction(async (tx) => {
        const found = (await tx.run(END_SESSION, [operatorId, sessionId, clock(), actor])) > 0;
        if (found) await note(tx, operatorId, { actor, action: "session.end", subject: sessionId });
        return found;
      }),
    async makeLink({ hash, tokenId, expiresAt }) {
      await database.run(FORGET_LINKS, [clock()]);
      await database.run(MAKE_LINK, [hash, tokenId, clock(), expiresAt]);
    },
    async spendLink(hash) {
      const row = await database.one<TokenColumns>(SPEND_LINK, [hash, clock()]);
      return row && recordOf(row);
    },
  };
}

/** One row more than asked for tells of a next page. */
const startOf = ({ cursor, order, limit }: RegistryPage): [string, number] => [
  cursor ?? (order === "asc" ? START_OF_ORDER : END_OF_ORDER),
  limit + 1,
];

const recordOf = ({ tokenId, ...token }: TokenColumns): TokenRecord => ({ ...token, id: tokenId });

const viewOf = ({ createdAt, lastSeenAt, endedAt, ...row }: ListedRow): SessionView => ({
  ...row,
  createdAt: createdAt.toISOString(),
  lastSeenAt: lastSeenAt.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
});
