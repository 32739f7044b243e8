/** The keys of a policy, out of its schema: for the table in docs/policy.md, and for whoever changes one by its name. */
import { isMembers } from "../../../kernel/operator/merge-patch.ts";
import { DEFAULT_POLICY } from "../../../kernel/operator/policy.ts";
import { membersOf } from "../../../term/narrow.ts";
import { sharedSchemas } from "../../schema.ts";
import { Policy } from "./policy-schema.ts";

export type PolicyKey = {
  /** `request.fraud.place`; `<ISO country>` and the like stand for names that an operator gives. */
  readonly key: string;
  /** What it may hold: `true, false`, `1 to 720`, its words. */
  readonly allowed: string;
  readonly unit: string | null;
  readonly isNullable: boolean;
  /** As it ships; undefined of what is named by an operator alone. */
  readonly shipped: unknown;
  readonly effect: string;
};

/** Names that an operator gives, by the key that they stand under. */
const NAMES_UNDER: Readonly<Record<string, string>> = {
  marketRules: "<country>",
  "quietHours.timeZones": "<MCC>",
  "request.notices": "<language>",
  "smsLimits.prices.perPart": "<prefix>",
};

/** Members of one shape, told once under this name. */
const ALIKE_UNDER: Readonly<Record<string, string>> = {
  bearers: "<bearer>",
  "request.notices.<language>": "<text>",
};

export const policyKeys = (): readonly PolicyKey[] => keysIn(Policy, "", DEFAULT_POLICY);

function keysIn(schema: unknown, key: string, shipped: unknown): readonly PolicyKey[] {
  const whole = resolved(schema);
  const named = isMembers(whole.properties) ? Object.entries(whole.properties) : [];
  const others = isMembers(whole.additionalProperties)
    ? whole.additionalProperties
    : Object.values(membersOf(whole.patternProperties))[0];
  const alike = ALIKE_UNDER[key];
  const told = alike === undefined ? named : named.slice(0, 1).map(([, member]) => [alike, member] as const);
  const below: readonly (readonly [string, unknown])[] =
    others === undefined ? told : [...told, [NAMES_UNDER[key] ?? "<name>", others]];
  const own = keyOf(whole, key, shipped);
  if (below.length === 0) return [own];
  const inside = below.flatMap(([name, member]) =>
    keysIn(member, key === "" ? name : `${key}.${name}`, isMembers(shipped) ? shipped[name] : undefined),
  );
  return own.effect === "" || key === "" ? inside : [own, ...inside];
}

const resolved = (schema: unknown): Readonly<Record<string, unknown>> => {
  const members = membersOf(schema);
  const { $ref } = members;
  return typeof $ref === "string" ? membersOf(sharedSchemas().get($ref.replace(/#$/, ""))) : members;
};

function keyOf(schema: Readonly<Record<string, unknown>>, key: string, shipped: unknown): PolicyKey {
  const types = [schema.type].flat();
  const { description, "x-unit": unit } = schema;
  return {
    key,
    allowed: allowedOf(schema),
    unit: typeof unit === "string" ? unit : null,
    isNullable: types.includes("null"),
    shipped,
    effect: typeof description === "string" ? description : "",
  };
}

function allowedOf(schema: Readonly<Record<string, unknown>>): string {
  const { minimum, maximum, items, pattern, properties, additionalProperties, patternProperties } = schema;
  const types = [schema.type].flat().filter((type) => type !== "null");
  const orNull = [schema.type].flat().includes("null") ? ", null" : "";
  if (Array.isArray(schema.enum)) return `${schema.enum.map(String).join(", ")}${orNull}`;
  if (types.includes("boolean")) return `true, false${orNull}`;
  if (types.includes("integer") || types.includes("number"))
    return `${types.includes("integer") ? "whole, " : ""}${String(minimum)} to ${String(maximum)}${orNull}`;
  if (types.includes("array")) {
    const { enum: of } = resolved(items);
    return Array.isArray(of) ? `list of ${of.map(String).join(", ")}` : "list";
  }
  if (properties || additionalProperties || patternProperties)
    return `members${isMembers(properties) ? ` ${Object.keys(properties).join(", ")}` : ""}${orNull}`.trim();
  return `${typeof pattern === "string" ? "text of a form" : "text"}${orNull}`;
}
