/**
 * The tables as Kysely sees them. `schema-tables.ts` is written from a migrated database after each new migration:
 * `UPDATE_SCHEMA=1 npx vitest run src/store/database/schema.test.ts`; the same test holds it true.
 */
export type { DB as Schema } from "./schema-tables.ts";
