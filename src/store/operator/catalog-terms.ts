/** Texts that people agree to. A version is all its languages, and is never edited: a consent names it. */
import { createHash } from "node:crypto";
import type { Localized } from "../../kernel/catalog/catalog-item.ts";
import type { CatalogStore, TermsVersion } from "../../kernel/catalog/catalog-store.ts";
import { TERMS_MAX } from "../../kernel/catalog/check-catalog.ts";
import { canonical } from "../../kernel/catalog/item-body.ts";
import { TurnupError } from "../../term/error.ts";
import type { Db } from "../database/database.ts";
import type { Change } from "./catalog-change.ts";

const ROWS_MAX = 100_000;
const COLUMNS = `terms_id as id, version, language, text, made_by as "madeBy", made_at as "madeAt"`;
const CURRENT_TERMS = {
  name: "current_terms", // terms_pkey
  text: `select t.${COLUMNS.replaceAll(", ", ", t.")} from terms t
           join (select terms_id, max(version) as version from terms where operator_id = $1
                  group by terms_id order by terms_id limit ${TERMS_MAX}) n
             on n.terms_id = t.terms_id and n.version = t.version
          where t.operator_id = $1 order by t.terms_id, t.language`,
};
const TERMS_VERSIONS = {
  name: "terms_versions", // terms_pkey
  text: `select ${COLUMNS} from terms where operator_id = $1 and terms_id = $2
          order by version desc, language limit ${ROWS_MAX}`,
};
const TERMS_VERSION = {
  name: "terms_version", // terms_pkey
  text: `select ${COLUMNS} from terms where operator_id = $1 and terms_id = $2 and version = $3 order by language`,
};
const INSERT_TERMS = {
  name: "insert_terms", // terms_pkey
  text: `insert into terms (operator_id, terms_id, version, language, text, sha256, made_by, made_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8)`,
};

type Row = Omit<TermsVersion, "texts" | "madeAt"> & {
  readonly language: string;
  readonly text: string;
  readonly madeAt: Date;
};

/** Rows of one version stand together. */
function versionsOf(rows: readonly Row[]): TermsVersion[] {
  const found = new Map<string, TermsVersion & { readonly texts: Record<string, string> }>();
  for (const { language, text, madeAt, ...row } of rows) {
    const key = `${row.id} ${row.version}`;
    const version = found.get(key) ?? { ...row, madeAt: madeAt.toISOString(), texts: {} };
    version.texts[language] = text;
    found.set(key, version);
  }
  return [...found.values()];
}

export async function currentTerms(db: Db, operatorId: string): Promise<ReadonlyMap<string, TermsVersion>> {
  const rows = await db.rows<Row>(CURRENT_TERMS, [operatorId]);
  return new Map(versionsOf(rows).map((version) => [version.id, version]));
}

async function termsVersions(db: Db, operatorId: string, termsId: string): Promise<readonly TermsVersion[]> {
  return versionsOf(await db.rows<Row>(TERMS_VERSIONS, [operatorId, termsId]));
}

/** Writes the next version. */
export async function putTermsIn(
  { tx, operatorId, actor, at }: Change,
  termsId: string,
  texts: Localized,
): Promise<number> {
  const [newest] = await termsVersions(tx, operatorId, termsId);
  const version = (newest?.version ?? 0) + 1;
  for (const [language, text] of Object.entries(texts)) {
    const sha256 = createHash("sha256").update(text, "utf8").digest();
    await tx.run(INSERT_TERMS, [operatorId, termsId, version, language, text, sha256, actor, at]);
  }
  return version;
}

type Changing = <Result>(
  operatorId: string,
  actor: string,
  work: (change: Change) => Promise<Result>,
) => Promise<Result>;

export const termsIn = (
  db: Db,
  changing: Changing,
): Pick<CatalogStore, "listTerms" | "termsVersions" | "termsVersion" | "putTerms"> => ({
  listTerms: async (operatorId) => [...(await currentTerms(db, operatorId)).values()],
  termsVersions: (operatorId, termsId) => termsVersions(db, operatorId, termsId),
  async termsVersion(operatorId, termsId, version) {
    return versionsOf(await db.rows<Row>(TERMS_VERSION, [operatorId, termsId, version]))[0];
  },
  putTerms: (operatorId, termsId, texts, { expected, actor }) =>
    changing(operatorId, actor, async (change) => {
      const [newest] = await termsVersions(change.tx, operatorId, termsId);
      if (!expected(newest?.version)) return { outcome: "changed" };
      if (newest && canonical(newest.texts) === canonical(texts))
        return { outcome: "unchanged", version: newest.version };
      const known = await currentTerms(change.tx, operatorId);
      if (!newest && known.size >= TERMS_MAX) {
        throw new TurnupError("input_too_long", `There are ${TERMS_MAX} terms already.`, {
          nextStep: "Write a next version of terms that are there.",
        });
      }
      const version = await putTermsIn(change, termsId, texts);
      await change.note("terms.put", termsId, { version, languages: Object.keys(texts) });
      return { outcome: "stored", version };
    }),
});
