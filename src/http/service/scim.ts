/**
 * SCIM 2.0 as the library `scimmy` has it, with our extension: it reads and checks what comes by the schemas, applies
 * PATCH, filters lists, and writes what goes out. Its resources are one for the process, so each call brings its own
 * server (`ScimContext`): two servers in one process share the schemas and nothing else.
 */
import SCIMMY from "scimmy";
import type { RegistrationKernel } from "../../service/registration-kernel.ts";
import { type Refusal, type ShownUser, shown } from "../../service/send-manager.ts";
import { membersOf } from "../../term/narrow.ts";
import { EXTENSION_SCHEMA } from "../../wire/message/scim.ts";

const { Attribute, SchemaDefinition, Schema, Error: ScimError } = SCIMMY.Types;
export const SCIM_BASE = "/scim/v2";
const MAX_RESULTS = 100;

/** What one server does with what comes: answers, or throws a `RefusalError`. */
export type ScimContext = {
  readonly clientId: string;
  /** Where a fault of ours is put on its way through the library, which would make a 404 of it. */
  readonly faults: Error[];
  readonly kernel: RegistrationKernel;
  register(user: unknown): Promise<ShownUser>;
  amend(id: string, user: unknown): Promise<ShownUser>;
  remove(id: string): Promise<void>;
};

/** A refusal with our extension, on its way through the library. */
export class RefusalError extends ScimError {
  readonly refusal: Refusal;
  constructor(refusal: Refusal) {
    super(refusal.status, refusal.scimType as string, refusal.detail);
    this.refusal = refusal;
  }
}

const pair = (value: string) => [
  new Attribute("string", "name", { description: "Name of the datum" }),
  new Attribute("string", value, { description: value === "value" ? "The datum" : "missing or corrupt" }),
];
/**
 * The library drops what is `writeOnly` or `readOnly` in an extension on its way in; so all are plain to it, we hold the
 * rules ourselves, and the schema that we show says them (`RULES`).
 */
const ATTRIBUTES = [
  new Attribute("string", "language", { description: "What the user reads, BCP 47" }),
  new Attribute(
    "complex",
    "fields",
    { multiValued: true, description: "What the service asks for" },
    pair("value"),
  ),
  new Attribute("string", "state", { description: "needs_information or registered" }),
  new Attribute(
    "complex",
    "needs",
    { multiValued: true, description: "What is missing or corrupt" },
    pair("problem"),
  ),
  new Attribute(
    "complex",
    "accessData",
    { multiValued: true, description: "For the device alone; in the answer that made it" },
    pair("value"),
  ),
  new Attribute("boolean", "renewAccessData", { description: "Asks for new access data" }),
];
const RULES: Readonly<Record<string, { readonly mutability: string; readonly returned: string }>> = {
  language: { mutability: "writeOnly", returned: "never" },
  fields: { mutability: "writeOnly", returned: "never" },
  state: { mutability: "readOnly", returned: "default" },
  needs: { mutability: "readOnly", returned: "default" },
  accessData: { mutability: "readOnly", returned: "request" },
  renewAccessData: { mutability: "writeOnly", returned: "never" },
};
const DEFINITION = new SchemaDefinition(
  "RegistrationExtension",
  EXTENSION_SCHEMA,
  "What a registration from a provisioning server says beyond a user",
  ATTRIBUTES,
);

class Extension extends Schema {
  static override get id() {
    return EXTENSION_SCHEMA;
  }
  static override get definition() {
    return DEFINITION;
  }
}

/** @throws ScimError for what the caller did wrong; anything else is kept as a fault beside it */
async function keepingFaults<Answer>(
  { faults }: ScimContext,
  act: () => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    return await act();
  } catch (error) {
    if (!(error instanceof ScimError)) faults.push(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

const contextOf = (context: unknown): ScimContext => context as ScimContext; // every call of ours brings one
const plain = (instance: unknown): unknown => JSON.parse(JSON.stringify(instance));

const { User } = SCIMMY.Resources;
SCIMMY.Resources.declare(User);
User.basepath(SCIM_BASE);
SCIMMY.Resources.Schema.basepath(SCIM_BASE);
SCIMMY.Resources.ResourceType.basepath(SCIM_BASE);
SCIMMY.Resources.ServiceProviderConfig.basepath(SCIM_BASE);
User.extend(Extension, false);
User.ingress((resource, instance, context) => {
  const ours = contextOf(context);
  const user = plain(instance);
  const act = () => (resource.id ? ours.amend(resource.id, user) : ours.register(user));
  return keepingFaults(ours, act) as never; // its type is a user's of the core schema alone
});
User.egress((resource, context) => {
  const ours = contextOf(context);
  const act = () => (resource.id ? oneOf(ours, resource.id) : someOf(ours, resource.filter));
  return keepingFaults<ShownUser | ShownUser[]>(ours, act) as never;
});
User.degress((resource, context) => {
  const ours = contextOf(context);
  return keepingFaults(ours, () => ours.remove(resource.id ?? ""));
});

const showing =
  ({ kernel }: ScimContext) =>
  (one: Parameters<typeof shown>[0]): ShownUser =>
    shown(one, kernel.needsOf(one), null);

function oneOf(context: ScimContext, id: string): ShownUser {
  const found = context.kernel.find(context.clientId, id);
  if (!found) throw new ScimError(404, null as never, "there is no such user");
  return showing(context)(found);
}

/** What an operator asks with all the time goes by an index; any other filter goes over all its users. */
function someOf(context: ScimContext, filter: (typeof User)["prototype"]["filter"]): ShownUser[] {
  const [, externalId] = /^externalId eq ("(?:[^"\\]|\\.)*")$/i.exec(filter?.expression ?? "") ?? [];
  if (externalId !== undefined) {
    const found = context.kernel.findExternal(context.clientId, JSON.parse(externalId) as string);
    return found ? [showing(context)(found)] : [];
  }
  const users = context.kernel.ofClient(context.clientId).map(showing(context));
  return filter ? (filter.match(users) as ShownUser[]) : users;
}

SCIMMY.Config.set({
  patch: true,
  filter: { supported: true, maxResults: MAX_RESULTS },
  authenticationSchemes: [
    {
      type: "oauthbearertoken",
      name: "OAuth bearer token bound to the client's certificate",
      description: "Client credentials over mutual TLS (RFC 8705)",
      specUri: "https://www.rfc-editor.org/rfc/rfc8705",
    },
  ],
});

type Query = Readonly<Record<string, string | undefined>>;
/** What of a query the library is given. */
function limitsOf({ filter, startIndex, count, attributes, excludedAttributes }: Query) {
  const most = count === undefined ? MAX_RESULTS : Math.min(Math.max(Number(count) || 0, 0), MAX_RESULTS);
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(attributes === undefined ? {} : { attributes }),
    ...(excludedAttributes === undefined ? {} : { excludedAttributes }),
    startIndex: Number(startIndex) || 1,
    count: most,
  };
}

/** What the library gives, or the fault behind what it says. */
async function faithful<Answer>(context: ScimContext, asked: Promise<Answer>): Promise<Answer> {
  try {
    return await asked;
  } catch (error) {
    throw context.faults[0] ?? error;
  }
}

export const scimUsers = {
  // The library takes its limits in the place of an id, too; its types do not say so.
  list: (query: Query, context: ScimContext) =>
    faithful(context, new User(limitsOf(query) as never).read(context)),
  read: (id: string, context: ScimContext) => faithful(context, new User(id).read(context)),
  create: (body: unknown, context: ScimContext) =>
    faithful(context, new User().write(body as never, context)),
  replace: (id: string, body: unknown, context: ScimContext) =>
    faithful(context, new User(id).write(body as never, context)),
  /** Undefined where nothing changed. */
  patch: (id: string, body: unknown, context: ScimContext) =>
    faithful(context, new User(id).patch(body as never, context)),
  remove: (id: string, context: ScimContext) => faithful(context, new User(id).dispose(context)),
};

export const scimDescriptions = {
  providerConfig: () => new SCIMMY.Resources.ServiceProviderConfig().read(),
  resourceTypes: (id?: string) => new SCIMMY.Resources.ResourceType(id).read(),
  schemas: async (id?: string): Promise<unknown> => {
    const read = membersOf(plain(await new SCIMMY.Resources.Schema(id).read()));
    const { Resources } = read;
    return Array.isArray(Resources) ? { ...read, Resources: Resources.map(withRules) } : withRules(read);
  },
};

function withRules(schema: unknown): unknown {
  const read = membersOf(schema);
  const { id, attributes } = read;
  if (id !== EXTENSION_SCHEMA || !Array.isArray(attributes)) return read;
  return {
    ...read,
    attributes: attributes.map(membersOf).map((one) => ({ ...one, ...RULES[String(one.name)] })),
  };
}

/** What the library or a refusal of ours says, as a SCIM error; undefined for a fault of the program. */
export function scimErrorOf(error: unknown): { readonly status: number; readonly body: object } | undefined {
  if (!(error instanceof ScimError)) return undefined;
  const status = Number(error.status) || 500;
  const body = plain(new SCIMMY.Messages.ErrorResponse(error)) as object;
  const extension = error instanceof RefusalError ? error.refusal.extension : undefined;
  return { status, body: extension ? { ...body, [EXTENSION_SCHEMA]: extension } : body };
}
