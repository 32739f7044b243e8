/** The operator's policy as the API takes and shows it: every key with its bounds, its unit (`x-unit`) and its effect. */
import Type, { type Static } from "typebox";
import { LEVELS, type OrderPolicy } from "../../../kernel/operator/policy.ts";
import type { QuietHours } from "../../../kernel/operator/quiet-hours.ts";
import { DEFAULT_PRICE, type SmsPrices } from "../../../kernel/operator/sms-limits.ts";
import type { PolicyTest } from "../../../kernel/support/policy-tests.ts";
import { BEARERS } from "../../../wire/message/legs.ts";
import { currency, integerOrNull, named, text, words } from "../../schema.ts";
import { bearers } from "../bearer-schema.ts";
import { marketRules } from "../market-schema.ts";
import { RequestPolicyPutSchema, RequestPolicySchema } from "../request-policy.ts";
import { RetentionSchema } from "../retention-schema.ts";

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

const PRICE = {
  type: "integer",
  minimum: 0,
  maximum: 100_000_000,
  "x-unit": "millionths of the currency's unit",
  description: "Of one part to numbers that begin so.",
};
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
      properties: { [DEFAULT_PRICE]: { ...PRICE, description: "Of one part to any other number." } },
      additionalProperties: PRICE,
      required: [DEFAULT_PRICE],
    },
  },
});
const TESTS_MAX = 500;
const VERDICTS = ["ended", "supported", "unknown"] as const;
/** Typed by hand: a list that nobody writes to. */
const tests = Type.Unsafe<readonly PolicyTest[]>(
  Type.Array(
    Type.Object(
      {
        name: text("What it says, for whoever reads that it failed.", 120),
        imei: Type.Optional(text("Of one handset: 15 digits.", 40)),
        tac: Type.Optional(Type.String({ pattern: "^[0-9]{8}$", description: "Of a model: 8 digits." })),
        model: Type.Optional(text("'make/model': every TAC that a list names so.", 200)),
        verdict: words(VERDICTS, "What the rules have to say."),
        rule: Type.Optional(text("The rule that has to decide; any, where it is not given.", 40)),
        market: Type.Optional(
          Type.String({ pattern: "^[A-Z]{2}$", description: "By the rules of this listed market." }),
        ),
        asOf: Type.Optional(
          Type.String({
            pattern: "^\\d{4}-\\d{2}-\\d{2}$",
            description: "The day on which it is judged, YYYY-MM-DD; the present one, where it is not given.",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    {
      maxItems: TESTS_MAX,
      description:
        "What the policy has to say of devices: of an `imei`, a `tac` or a `model` each. No version goes live while one fails, whoever makes it and however.",
    },
  ),
);

const fourEyes = (secondPerson: string, approvalHours: string, description: string) =>
  Type.Object(
    {
      secondPerson: Type.Boolean({ description: secondPerson }),
      approvalHours: Type.Integer({
        minimum: 1,
        maximum: HOURS_MAX,
        "x-unit": "hours",
        description: approvalHours,
      }),
    },
    { additionalProperties: false, description },
  );

const policyShape = Type.Object(
  {
    ageCutOffYears: Type.Unsafe<number | null>({
      type: ["number", "null"],
      minimum: 0,
      maximum: 50,
      "x-unit": "years",
      description: "A model that came out more years ago counts as left behind; null: the rule is off.",
    }),
    listedModels: Type.Array(text("'make/model' or 'make/model*'.", 200), {
      maxItems: 5_000,
      description:
        "Models and series that count as left behind whatever their age: 'make/model', 'make/prefix*'.",
    }),
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
      description: "Countries of networks in which orders are marked, and rules of their own may hold.",
    }),
    marketRules,
    resendLimit: Type.Integer({
      minimum: 0,
      maximum: 20,
      "x-unit": "resends",
      description: "How often a message is sent again after it failed or expired, before its item fails.",
    }),
    messageValidityMinutes: Type.Integer({
      minimum: 1,
      maximum: 14 * 1_440,
      "x-unit": "minutes",
      description: "How long the message centre tries to deliver one message.",
    }),
    proofDeadlineHours: Type.Integer({
      minimum: 1,
      maximum: HOURS_MAX,
      "x-unit": "hours",
      description: "How long an order waits for proof before it ends with what it has.",
    }),
    waitDeadlineHours: Type.Integer({
      minimum: 1,
      maximum: HOURS_MAX,
      "x-unit": "hours",
      description: "How long an order waits for a key, a phone number or an access point before it fails.",
    }),
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
      { additionalProperties: false, description: "Texts that stand in messages of orders." },
    ),
    quietHours,
    sender: Type.String({
      pattern: "^(?:\\+?[0-9]{1,15}|[A-Za-z0-9 ]{1,11})$",
      description: "A short code, a number, or up to 11 letters and digits.",
    }),
    smsLimits: Type.Object(
      {
        perSecond: integerOrNull({
          "x-unit": "short messages a second",
          minimum: 1,
          maximum: 1_000_000,
          description: "Short messages a second that leave one server; null: no limit.",
        }),
        waiting: integerOrNull({
          "x-unit": "messages",
          minimum: 1,
          maximum: 100_000_000,
          description: "Messages that may wait at once: a text beyond them is refused (sms_queue_full).",
        }),
        perDay: integerOrNull({
          "x-unit": "short messages a day",
          minimum: 1,
          maximum: 1_000_000_000,
          description:
            "Short messages a day, by UTC. A text beyond them is refused (sms_day_spent), what orders send waits for the next day.",
        }),
        costMicrosPerDay: integerOrNull({
          "x-unit": "millionths of the currency's unit a day",
          minimum: 1,
          maximum: 1_000_000_000_000_000,
          description:
            "What short messages may cost a day, by UTC and `prices`, in millionths of the currency's unit: 250000000 is 250.00. Beyond it as `perDay`.",
        }),
        prices: smsPrices,
      },
      { additionalProperties: false, description: "How much SMS may leave, wait and be spent." },
    ),
    payments: fourEyes(
      "A second person must approve a payment file before anybody has it.",
      "How long they have; then the file is given up.",
      "Payment files to manufacturers.",
    ),
    policyChanges: fourEyes(
      "A second person must approve each change of the policy before it goes live, the one that ends this rule too.",
      "How long they have; then the change is given up.",
      "Changes of this policy.",
    ),
    retention: RetentionSchema,
    request: RequestPolicySchema,
    tests,
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

export const Policy = named("Policy", policyShape);

/** As it is put: members that came after release 0.1.0 may be missing, so that a client of that release goes on. */
export const PolicyPut = named(
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
      policyChanges: Type.Optional(
        Type.Partial(policyShape.properties.policyChanges, { additionalProperties: false }),
      ),
      retention: Type.Optional(
        Type.Partial(policyShape.properties.retention, { additionalProperties: false }),
      ),
      request: RequestPolicyPutSchema,
      tests: Type.Optional(tests),
    },
    {
      additionalProperties: false,
      description:
        "As Policy. `unknownBearer`, `bearers`, `marketRules`, `smsLimits`, `payments`, `policyChanges`, `retention` (or a member of the four) and `tests` stay as they are in force where they are not given.",
    },
  ),
);

/** What is not given is neither reset nor lost: a client that does not know a limit does not take it away. */
export const wholePolicy = (put: Static<typeof PolicyPut>, inForce: OrderPolicy): OrderPolicy => {
  const { unknownBearer, bearers, marketRules, tests } = inForce;
  const { ownRecords, collection } = inForce.request;
  return {
    ...{ unknownBearer, bearers, marketRules, tests },
    ...put,
    smsLimits: { ...inForce.smsLimits, ...put.smsLimits },
    payments: { ...inForce.payments, ...put.payments },
    policyChanges: { ...inForce.policyChanges, ...put.policyChanges },
    retention: { ...inForce.retention, ...put.retention },
    request: { ownRecords, collection, ...put.request },
  };
};

void isSame;
