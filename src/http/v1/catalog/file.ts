/** The whole catalog as one reviewed file, `/v1/catalog.yaml`: out as it is, in as a whole or not at all. */
import Type from "typebox";
import { surroundingsOf } from "../../../kernel/catalog/catalog-store.ts";
import { checkCatalogDocument } from "../../../kernel/catalog/check-catalog.ts";
import { changedMeanwhile, contentEtag, ifMatchOf, isAmong } from "../../etag.ts";
import { ok, route } from "../../route.ts";
import { anything } from "../../schema.ts";
import { CATALOG_FILE_OCTETS_MAX, parseCatalogYaml, writeCatalogYaml } from "./catalog-yaml.ts";
import { Diff, fitOrRefuse, writtenDiff } from "./schema.ts";

const YAML = "application/yaml"; // RFC 9512

export const exportCatalog = route({
  method: "GET",
  path: "/v1/catalog.yaml",
  summary: "The whole catalog and its terms as a file, with its ETag",
  tag: "catalog",
  roles: ["admin", "engineer", "care", "representative"],
  errors: [],
  status: 200,
  produces: [YAML],
  async handle({ catalog }, { caller }) {
    const text = writeCatalogYaml(await catalog.exported(caller.operatorId));
    return ok<unknown>(text, { "content-type": `${YAML}; charset=utf-8`, etag: contentEtag(text) });
  },
});

export const importCatalog = route({
  method: "PUT",
  path: "/v1/catalog.yaml",
  summary: "Make the catalog what the file says; dry_run=true only tells what would change",
  description:
    "Items that the file does not name are retired; terms that it does not name stay. One problem refuses the whole " +
    "file. The same file again changes nothing. With If-Match it changes only what you read.",
  tag: "catalog",
  roles: ["admin", "engineer"],
  errors: ["catalog_malformed", "precondition_failed"],
  status: 200,
  query: {
    dry_run: Type.Optional(Type.Boolean({ description: "Tell what would change, and change nothing." })),
  },
  body: anything("The file, as YAML or as the same in JSON."),
  checksOwnBody: true,
  consumes: [YAML, "application/x-yaml", "text/yaml"],
  bodyLimitOctets: CATALOG_FILE_OCTETS_MAX,
  answer: Diff,
  async handle({ catalog, hasServer }, { body, query, caller, request }) {
    const value = typeof body === "string" ? parseCatalogYaml(body) : body;
    const around = await surroundingsOf(catalog, caller.operatorId, hasServer);
    const document = fitOrRefuse(checkCatalogDocument(value, around));
    const tags = ifMatchOf(request);
    const dryRun = query.dry_run ?? false;
    const diff = await catalog.import(caller.operatorId, document, {
      actor: caller.label,
      dryRun,
      expected: (current) => !tags || isAmong(tags, contentEtag(writeCatalogYaml(current))),
    });
    if (diff === "changed") throw changedMeanwhile();
    return ok(writtenDiff(diff, !dryRun));
  },
});
