/**
 * How far the payment provider was asked for returns: its own word for the place is kept, so that none is passed over and a crash asks for
 * the same ones again. One provider serves all operators of a server: it is asked under the oldest, and each return is its operator's whose
 * sum it names; what names nothing known stays with the oldest.
 */
import { collectionNamed } from "../../kernel/settlement/collection-return.ts";
import type { Database } from "../database/database.ts";

const OLDEST = "select id from operator order by id limit 1"; // operator_pkey
const BEGIN =
  "insert into collection_return_asking (operator_id, due_at) values ($1, $2) on conflict (operator_id) do nothing";
const TAKE = `update collection_return_asking set due_at = $3 where operator_id = $1 and due_at <= $2 returning cursor`; // collection_return_asking_pkey
const HEARD = `update collection_return_asking set cursor = $2, due_at = $3, asked_at = $4, failure = $5 where operator_id = $1`; // collection_return_asking_pkey
const WHOSE_NAMED = `select distinct c.operator_id as "operatorId" from collection c where c.id = any($1::uuid[]) limit 2`; // collection_pkey
/** collection_by_reference, once for each operator */
const WHOSE_NUMBERED = `
  select distinct c.operator_id as "operatorId" from operator o
    join collection c on c.operator_id = o.id and c.reference = any($1::text[]) limit 2`;
const ALL = "select id from operator order by id"; // operator_pkey

type Asking = { readonly operatorId: string; readonly cursor: string | null };

export const returnsAsking = (database: Database) => ({
  /** Whom to ask under, where it is time; another server takes it up where this one does not answer until `until`. */
  async take(now: Date, until: Date): Promise<Asking | undefined> {
    const oldest = await database.one<{ id: string }>(OLDEST, []);
    if (!oldest) return undefined;
    await database.run(BEGIN, [oldest.id, now]);
    const taken = await database.one<{ cursor: string | null }>(TAKE, [oldest.id, now, until]);
    return taken && { operatorId: oldest.id, cursor: taken.cursor };
  },
  async heard(
    { operatorId }: Asking,
    {
      cursor,
      dueAt,
      now,
      failure,
    }: {
      readonly cursor: string | null;
      readonly dueAt: Date;
      readonly now: Date;
      readonly failure: string | null;
    },
  ): Promise<void> {
    await database.run(HEARD, [operatorId, cursor, dueAt, now, failure]);
  },
  /**
   * The operator whose sum it is: undefined where it is nobody's, or more than one's. By our own name first: a reference may have been
   * typed by a person, of whichever operator.
   */
  async ownerOf(named: readonly string[]): Promise<string | undefined> {
    const ids = named.flatMap((name) => collectionNamed(name) ?? []);
    const [owner, another] = await database.rows<{ operatorId: string }>(WHOSE_NAMED, [ids]);
    if (owner) return another ? undefined : owner.operatorId;
    const [numbered, other] = await database.rows<{ operatorId: string }>(WHOSE_NUMBERED, [named]);
    return other ? undefined : numbered?.operatorId;
  },
  operators: async (): Promise<readonly string[]> =>
    (await database.rows<{ id: string }>(ALL, [])).map(({ id }) => id),
});
