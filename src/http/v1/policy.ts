/** The operator's policy: one value, versioned; a change names the version that it was made from. */
import Type, { type Static } from "typebox";
import type { Versioned } from "../../kernel/account/registry.ts";
import type { Role } from "../../kernel/account/role.ts";
import { unreadableWords } from "../../kernel/consent/read-reply.ts";
import { LEVELS, type OrderPolicy } from "../../kernel/operator/policy.ts";
import { isTimeZone, type QuietHours } from "../../kernel/operator/quiet-hours.ts";
import { RETAINED_KINDS, type RetentionPolicy } from "../../kernel/operator/retention.ts";
import { DEFAULT_PRICE, type SmsPrices } from "../../kernel/operator/sms-limits.ts";
import { TurnupError } from "../../term/error.ts";
import { BEARERS } from "../../wire/message/legs.ts";
import { changedMeanwhile, isAmong, requiredIfMatch, versionEtag } from "../etag.ts";
import { type FieldError, InvalidRequest } from "../problem.ts";
import { type Answer, ok, route } from "../route.ts";
import { currency, instantOrNull, integerOrNull, named, text, textOrNull, words } from "../schema.ts";
import { bearers } from "./bearer-schema.ts";
import { marketRules } from "./market-schema.ts";
import { RequestPolicyPutSchema, RequestPolicySchema } from "./request-policy.ts";
import { RetentionSchema } from "./retention-schema.ts";

const HOURS_MAX = 24 * 90;
const SMS_TEXT_MAX = 600;

const timeOfDay = (description: string) => ({
  type: "string",
  pattern: "^([01][0-9]|2[0-3]):[0-5][0-9]$",
  examples: ["21:00"],
  description,
});
const zoneName = (description: string) => ({
  type: "string",
  maxLength: 60,
  examples: ["Europe/Berlin"],
  description,
});

const quietHours = Type.Unsafe<QuietHours | null>({
  type: ["object", "null"],
  description:
    "When nothing goes out that nobody asked for (offers, campaigns), by the subscriber's local clock; null: at any time.",
  required: ["from", "to", "timeZone", "timeZones"],
  additionalProperties: false,
  properties: {
    from: timeOfDay("Begin, by the local clock; 21:00 to 08:00 is a night."),
    to: timeOfDay("End, by the local clock."),
    timeZone: zoneName("The operator's time zone, an IANA name."),
    timeZones: {
      type: "object",
      description: "Of subscribers whose home network is elsewhere: MCC to time zone.",
      maxProperties: 300,
      propertyNames: { pattern: "^[0-9]{3}$" },
      additionalProperties: zoneName("An IANA name."),
    },
  },
});

const smsPrices = Type.Unsafe<SmsPrices | null>({
  type: ["object", "null"],
  description: "What a short message costs the operator; null: it is not known, and not counted.",
  required: ["currency", "perPart"],
  additionalProperties: false,
  properties: {
    currency: currency(),
    perPart: {
      type: "object",
      description:
        "Millionths of the currency's unit by how the number begins, the longest that fits, else of `default`: 7500 is 0.0075.",
      maxProperties: 2_000,
      propertyNames: { pattern: `^(?:${DEFAULT_PRICE}|[1-9][0-9]{0,14})$` },
      additionalProperties: { type: "integer", minimum: 0, maximum: 100_000_000 },
      required: [DEFAULT_PRICE],
    },
  },
});
const policyShape = Type.Object(
  {
    ageCutOffYears: Type.Unsafe<number | null>({
      type: ["number", "null"],
      minimum: 0,
      maximum: 50,
      description: "A model that came out more years ago counts as left behind; null: the rule is off.",
    }),
    listedModels: Type.Array(text("'make/model' or 'make/model*'.", 200), { maxItems: 5_000 }),
    keyWithoutDeal: Type.Boolean({
      description: "A key for devices that are not left behind too, where there is no deal with their maker.",
    }),
    keyForUnknown: Type.Boolean({ description: "A device whose model is not known counts as left behind." }),
    tryKeys: Type.Boolean({
      description:
        "A key for models of which it is not known whether they run one, where their settings go by OMA CP.",
    }),
    package: words(["together", "apart"], "Key and settings in one message, or two."),
    keyApnsInSettings: Type.Boolean({
      description: "Write a key's access points into the settings too, for models that run no key.",
    }),
    authentication: words(
      ["netwpin", "userpin"],
      "By the IMSI, silently, or by a PIN with a notice of its own.",
    ),
    unknownProtocol: words(["omacp", "link"], "How settings go to a model whose protocol is not known."),
    unknownBearer: words(BEARERS, "What carries messages to a device of which nobody says it."),
    bearers,
    sendUnconfirmed: Type.Boolean({
      description:
        "Send shipped access points, which nobody confirmed, where the operator has none of its own. Only for operators of kind mno.",
    }),
    doneAt: words(LEVELS, "The level at which an item counts as done."),
    worksBy: words(
      ["each_access_point", "one_access_point"],
      "Settings work once traffic was seen on each access point that they set, or on one of them.",
    ),
    returningPair: words(["open", "skip"], "What a SIM does that returns to a handset it was in before."),
    markets: Type.Array(Type.String({ pattern: "^[A-Z]{2}$", description: "ISO 3166 alpha-2." }), {
      maxItems: 300,
    }),
    marketRules,
    resendLimit: Type.Integer({ minimum: 0, maximum: 20 }),
    messageValidityMinutes: Type.Integer({ minimum: 1, maximum: 14 * 1_440 }),
    proofDeadlineHours: Type.Integer({ minimum: 1, maximum: HOURS_MAX }),
    waitDeadlineHours: Type.Integer({ minimum: 1, maximum: HOURS_MAX }),
    texts: Type.Object(
      {
        pinNotice: Type.String({
          maxLength: SMS_TEXT_MAX,
          pattern: "^[^\\u0000]*\\{pin\\}[^\\u0000]*$",
          description: "A text that holds {pin}.",
        }),
        link: Type.String({
          maxLength: SMS_TEXT_MAX,
          pattern: "^[^\\u0000]*\\{link\\}[^\\u0000]*$",
          description: "A text that holds {link}.",
        }),
      },
      { additionalProperties: false },
    ),
    quietHours,
    sender: Type.String({
      pattern: "^(?:\\+?[0-9]{1,15}|[A-Za-z0-9 ]{1,11})$",
      description: "A short code, a number, or up to 11 letters and digits.",
    }),
    smsLimits: Type.Object(
      {
        perSecond: integerOrNull({
          minimum: 1,
          maximum: 1_000_000,
          description: "Short messages a second that leave one server; null: no limit.",
        }),
        waiting: integerOrNull({
          minimum: 1,
          maximum: 100_000_000,
          description: "Messages that may wait at once: a text beyond them is refused (sms_queue_full).",
        }),
        perDay: integerOrNull({
          minimum: 1,
          maximum: 1_000_000_000,
          description:
            "Short messages a day, by UTC. A text beyond them is refused (sms_day_spent), what orders send waits for the next day.",
        }),
        costMicrosPerDay: integerOrNull({
          minimum: 1,
          maximum: 1_000_000_000_000_000,
          description:
            "What short messages may cost a day, by UTC and `prices`, in millionths of the currency's unit: 250000000 is 250.00. Beyond it as `perDay`.",
        }),
        prices: smsPrices,
      },
      { additionalProperties: false, description: "How much SMS may leave, wait and be spent." },
    ),
    payments: Type.Object(
      {
        secondPerson: Type.Boolean({
          description: "A second person must approve a payment file before anybody has it.",
        }),
        approvalHours: Type.Integer({
          minimum: 1,
          maximum: HOURS_MAX,
          description: "How long they have; then the file is given up.",
        }),
      },
      { additionalProperties: false, description: "Payment files to manufacturers." },
    ),
    retention: RetentionSchema,
    request: RequestPolicySchema,
  },
  { additionalProperties: false, description: "What an operator decides about its orders." },
);
/** The schema and the kernel's type are the same, both ways; this line does not compile otherwise. */
type Described = Static<typeof policyShape>;
type Same = Described extends OrderPolicy
  ? keyof Described extends keyof OrderPolicy
    ? true
    : never
  : never;
const isSame: Same = true;

const Policy = named("Policy", policyShape);

/** As it is put: members that came after release 0.1.0 may be missing, so that a client of that release goes on. */
const PolicyPut = named(
  "PolicyPut",
  Type.Object(
    {
      ...policyShape.properties,
      unknownBearer: Type.Optional(policyShape.properties.unknownBearer),
      bearers: Type.Optional(policyShape.properties.bearers),
      marketRules: Type.Optional(policyShape.properties.marketRules),
      smsLimits: Type.Optional(
        Type.Partial(policyShape.properties.smsLimits, { additionalProperties: false }),
      ),
      payments: Type.Optional(Type.Partial(policyShape.properties.payments, { additionalProperties: false })),
      retention: Type.Optional(
        Type.Partial(policyShape.properties.retention, { additionalProperties: false }),
      ),
      request: RequestPolicyPutSchema,
    },
    {
      additionalProperties: false,
      description:
        "As Policy. `unknownBearer`, `bearers`, `marketRules`, `smsLimits`, `payments` and `retention` (or a member of the three) stay as they are in force where they are not given.",
    },
  ),
);

/** What is not given is neither reset nor lost: a client that does not know a limit does not take it away. */
const wholePolicy = (put: Static<typeof PolicyPut>, inForce: OrderPolicy): OrderPolicy => {
  const { unknownBearer, bearers, marketRules } = inForce;
  const { ownRecords, collection } = inForce.request;
  return {
    ...{ unknownBearer, bearers, marketRules },
    ...put,
    smsLimits: { ...inForce.smsLimits, ...put.smsLimits },
    payments: { ...inForce.payments, ...put.payments },
    retention: { ...inForce.retention, ...put.retention },
    request: { ownRecords, collection, ...put.request },
  };
};

const PolicyVersion = named(
  "PolicyVersion",
  Type.Object({
    version: Type.Integer({ description: "0 is the policy shipped with the product." }),
    body: Policy,
    madeBy: textOrNull(),
    madeAt: instantOrNull(),
  }),
);
type PolicyAnswer = Answer<Static<typeof PolicyVersion>>;

const written = ({ body, ...version }: Versioned<OrderPolicy>): PolicyAnswer["body"] => ({
  ...version,
  body: {
    ...body,
    listedModels: [...body.listedModels],
    markets: [...body.markets],
    // The same value; the schema's type does not say that nobody writes to it.
    request: body.request as Static<typeof RequestPolicySchema>,
  },
});

export const getPolicy = route({
  method: "GET",
  path: "/v1/policy",
  summary: "The policy in force, with its ETag",
  tag: "policy",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: PolicyVersion,
  async handle({ policies }, { caller }): Promise<PolicyAnswer> {
    const current = await policies.current(caller.operatorId);
    return ok(written(current), { etag: versionEtag(current.version) });
  },
});

export const putPolicy = route({
  method: "PUT",
  path: "/v1/policy",
  summary: "Put a new version of the policy in force; every version is kept",
  tag: "policy",
  roles: ["admin", "engineer"],
  errors: ["precondition_required", "precondition_failed", "unconfirmed_not_allowed"],
  status: 200,
  body: PolicyPut,
  answer: PolicyVersion,
  async handle({ policies }, { body: given, caller, request }): Promise<PolicyAnswer> {
    const wanted = requiredIfMatch(request);
    const { version, body: inForce } = await policies.current(caller.operatorId);
    const body = wholePolicy(given, inForce);
    refuseContradictions(body);
    if (!isAmong(wanted, versionEtag(version))) throw changedMeanwhile();
    refuseRetentionOf(caller.role, inForce.retention, body.retention);
    const put = await policies.put(caller.operatorId, version, body, caller.label);
    if (!put) throw changedMeanwhile();
    return ok(written(put), { etag: versionEtag(put.version) });
  },
});

/** Whoever may change what is sent may not thereby let what was done be forgotten. @throws TurnupError `role_not_allowed` */
function refuseRetentionOf(role: Role, before: RetentionPolicy, after: RetentionPolicy): void {
  if (role === "admin" || RETAINED_KINDS.every((kind) => before[kind] === after[kind])) return;
  throw new TurnupError("role_not_allowed", `The role ${role} may not change how long data is kept.`, {
    nextStep: "Leave retention as it is, or use a token of the role admin.",
  });
}

/** What each field allows, and all of them together do not. @throws InvalidRequest */
function refuseContradictions({ quietHours, request, smsLimits }: OrderPolicy): void {
  const faults: FieldError[] = [];
  const unreadable = unreadableWords({ accept: request.acceptWords, decline: request.declineWords });
  if (unreadable.length > 0) {
    const at = "body/request/acceptWords and declineWords";
    faults.push({ at, wanted: `one meaning a word, and that of every operator: ${unreadable.join(", ")}` });
  }
  if (smsLimits.costMicrosPerDay !== null && smsLimits.prices === null)
    faults.push({ at: "body/smsLimits/prices", wanted: "prices, by which costMicrosPerDay is counted" });
  if (quietHours) {
    const { from, to, timeZone, timeZones } = quietHours;
    if (from === to) faults.push({ at: "body/quietHours/to", wanted: "another time than from" });
    for (const zone of [timeZone, ...Object.values(timeZones)].filter((name) => !isTimeZone(name)))
      faults.push({ at: "body/quietHours", wanted: `a time zone of the IANA database in place of ${zone}` });
  }
  if (faults.length > 0) throw new InvalidRequest(faults);
}

void isSame;
