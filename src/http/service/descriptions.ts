/** What a service says of itself (RFC 7643 clauses 5 to 8, RFC 7644 clause 4): what it can do, which resources and schemas it has. */
import { EXTENSION_SCHEMA, USERS } from "../../wire/message/scim.ts";
import { listResponse } from "../../wire/scim/list.ts";
import type { Json, ResourceKind, ScimSchema } from "../../wire/scim/schema.ts";

const SCHEMAS = "urn:ietf:params:scim:schemas:core:2.0";
/** Users of one answer. */
export const MAX_RESULTS = 100;

/** @param base address of the service */
export const providerConfig = (base: string): Json => ({
  schemas: [`${SCHEMAS}:ServiceProviderConfig`],
  patch: { supported: true },
  bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
  filter: { supported: true, maxResults: MAX_RESULTS },
  changePassword: { supported: true },
  sort: { supported: true },
  etag: { supported: true },
  authenticationSchemes: [
    {
      type: "oauthbearertoken",
      name: "OAuth bearer token bound to the client's certificate",
      description: "Client credentials over mutual TLS (RFC 8705)",
      specUri: "https://www.rfc-editor.org/rfc/rfc8705",
      primary: true,
    },
  ],
  meta: { resourceType: "ServiceProviderConfig", location: `${base}/ServiceProviderConfig` },
});

/** One of them by its id, in any case; all of them without one; undefined where there is none of this id. */
export function resourceTypes(base: string, kind: ResourceKind, id: string | undefined): Json | undefined {
  const user = {
    schemas: [`${SCHEMAS}:ResourceType`],
    id: "User",
    name: "User",
    endpoint: USERS,
    description: kind.core.description,
    schema: kind.core.id,
    schemaExtensions: kind.extensions.map(({ id: schema }) => ({ schema, required: false })),
    meta: { resourceType: "ResourceType", location: `${base}/ResourceTypes/User` },
  };
  if (id === undefined) return listResponse([user], 1, 1);
  return id.toLowerCase() === "user" ? user : undefined;
}

/** As `resourceTypes`, by the URI of the schema. */
export function schemas(base: string, kind: ResourceKind, id: string | undefined): Json | undefined {
  const shown = (schema: ScimSchema): Json => ({
    schemas: [`${SCHEMAS}:Schema`],
    ...schema,
    meta: { resourceType: "Schema", location: `${base}/Schemas/${schema.id}` },
  });
  const all = [kind.core, ...kind.extensions];
  if (id === undefined) return listResponse(all.map(shown), all.length, 1);
  const found = all.find((schema) => schema.id.toLowerCase() === id.toLowerCase());
  return found && shown(found);
}

/** A refusal as the protocol writes it (RFC 7644 clause 3.12); `extension` says in our words what is wanted. */
export const errorBody = (
  status: number,
  detail: string,
  scimType: string | null | undefined,
  extension?: object,
): Json => ({
  schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"],
  status: String(status),
  ...(scimType ? { scimType } : {}),
  detail,
  ...(extension ? { [EXTENSION_SCHEMA]: extension } : {}),
});
