/** The tables as Kysely sees them; written by `kysely-codegen` from a migrated database. */
export type Schema = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
