/**
 * What a user of a service is made of in SCIM: the core schema, of which just what the service asks for is required, and
 * our extension. What is shown as schema is what is taken.
 */
import { attributeOfField, EXTENSION_SCHEMA, USER_SCHEMA } from "../wire/message/scim.ts";
import { type Attribute, attribute, type ResourceKind, type ScimSchema } from "../wire/scim/schema.ts";
import { userSchema } from "../wire/scim/user-schema.ts";
import type { NeededField } from "./user-data.ts";

const pairs = (name: string, description: string, value: string, more: Partial<Attribute>): Attribute =>
  attribute(name, description, {
    ...more,
    type: "complex",
    multiValued: true,
    subAttributes: [
      attribute("name", "Name of the datum"),
      attribute(value, value === "value" ? "The datum" : "missing or corrupt", { caseExact: true }),
    ],
  });

const EXTENSION: ScimSchema = {
  id: EXTENSION_SCHEMA,
  name: "RegistrationExtension",
  description: "What a registration from a provisioning server says beyond a user",
  attributes: [
    attribute("language", "What the user reads, BCP 47", { mutability: "writeOnly", returned: "never" }),
    pairs("fields", "What the service asks for", "value", { mutability: "writeOnly", returned: "never" }),
    attribute("state", "needs_information or registered", { mutability: "readOnly" }),
    pairs("needs", "What is missing or corrupt", "problem", { mutability: "readOnly" }),
    pairs("accessData", "For the device alone; in the answer that made it", "value", {
      mutability: "readOnly",
      returned: "request",
    }),
    attribute("renewAccessData", "Asks for new access data", {
      type: "boolean",
      mutability: "writeOnly",
      returned: "never",
    }),
  ],
};

/** @param wanted what the service asks of a user, beside number and name */
export function userKindOf(wanted: readonly NeededField[]): ResourceKind {
  const required = wanted.flatMap(({ name, required: isRequired }) =>
    isRequired ? (attributeOfField(name) ?? []) : [],
  );
  return { core: userSchema(USER_SCHEMA, ["phoneNumbers", ...required]), extensions: [EXTENSION] };
}
