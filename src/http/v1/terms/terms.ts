/** Exact texts that people agree to. A change is a next version; whoever agreed, agreed to the version that they saw. */
import Type, { type Static } from "typebox";
import { surroundingsOf, type TermsVersion } from "../../../kernel/catalog/catalog-store.ts";
import { checkTerms, TERMS_CHARACTERS_MAX } from "../../../kernel/catalog/check-catalog.ts";
import { TurnupError } from "../../../term/error.ts";
import {
  changedMeanwhile,
  ifMatchOf,
  isAmong,
  requiredIfMatch,
  versionEtag,
  versionEtagOf,
} from "../../etag.ts";
import { ok, route } from "../../route.ts";
import { fitOrRefuse, TermsIn, TermsOut, termsId } from "../catalog/schema.ts";

const READERS = ["admin", "engineer", "care", "representative"] as const;
/** Thirty languages of the longest text would be more; three fit. */
const BODY_OCTETS_MAX = TERMS_CHARACTERS_MAX * 20;

const written = (terms: TermsVersion): Static<typeof TermsOut> => ({ ...terms, texts: { ...terms.texts } });

const notFound = (): TurnupError =>
  new TurnupError("terms_not_found", "There are no such terms.", { nextStep: "GET /v1/terms lists them." });

export const listTerms = route({
  method: "GET",
  path: "/v1/terms",
  summary: "The terms in force, in every language",
  tag: "catalog",
  roles: READERS,
  errors: [],
  status: 200,
  answer: Type.Object({ terms: Type.Array(TermsOut) }),
  async handle({ catalog }, { caller }) {
    return ok({ terms: (await catalog.listTerms(caller.operatorId)).map(written) });
  },
});

export const getTerms = route({
  method: "GET",
  path: "/v1/terms/:id",
  summary: "All versions of some terms, newest first, with the ETag of the newest",
  tag: "catalog",
  roles: READERS,
  errors: ["terms_not_found"],
  status: 200,
  params: { id: termsId },
  answer: Type.Object({ versions: Type.Array(TermsOut) }),
  async handle({ catalog }, { params, caller }) {
    const versions = await catalog.termsVersions(caller.operatorId, params.id);
    const [newest] = versions;
    if (!newest) throw notFound();
    return ok({ versions: versions.map(written) }, { etag: versionEtag(newest.version) });
  },
});

export const putTerms = route({
  method: "PUT",
  path: "/v1/terms/:id",
  summary: "Write terms, or a next version of them, in every language at once",
  description: "A change needs the If-Match of what you read; new terms need none. Terms are never removed.",
  tag: "catalog",
  roles: ["admin", "engineer"],
  errors: ["precondition_required", "precondition_failed"],
  status: 200,
  params: { id: termsId },
  body: TermsIn,
  checksOwnBody: true,
  bodyLimitOctets: BODY_OCTETS_MAX,
  answer: TermsOut,
  async handle({ catalog }, { params, body, caller, request }) {
    const texts = fitOrRefuse(checkTerms(body));
    const { hasTerms } = await surroundingsOf(catalog, caller.operatorId);
    const tags = hasTerms(params.id) ? requiredIfMatch(request) : ifMatchOf(request);
    const put = await catalog.putTerms(caller.operatorId, params.id, texts, {
      expected: (current) => (tags ? isAmong(tags, versionEtagOf(current)) : current === undefined),
      actor: caller.label,
    });
    if (put.outcome === "changed") throw changedMeanwhile();
    const now = await catalog.termsVersion(caller.operatorId, params.id, put.version);
    if (!now) throw notFound();
    return ok(written(now), { etag: versionEtag(put.version) });
  },
});
