/** Requests in the API description: what whoever asks for somebody else sends, and is shown of it. */
import Type, { type Static } from "typebox";
import { HOLDER_CHARACTERS_MAX } from "../../../kernel/account/bank-account.ts";
import { USER_FIELDS } from "../../../kernel/account/user-data.ts";
import { ASSURANCES } from "../../../kernel/catalog/catalog-item.ts";
import { CHANNELS, ITEM_STATES, ORDER_STATES } from "../../../kernel/order/order.ts";
import type { RequestStatus } from "../../../kernel/order/request.ts";
import type {
  RequestDetail,
  RequestRow,
  VerificationView,
} from "../../../kernel/requested/request-reader.ts";
import { NATIONAL_ACCOUNT_COUNTRIES } from "../../../term/national-account.ts";
import { recordOf } from "../../../term/record.ts";
import {
  formerWords,
  instant,
  instantOrNull,
  named,
  text,
  textOrNull,
  words,
  wordsOrNull,
} from "../../schema.ts";
import { itemId, termsId } from "../catalog/schema.ts";
import { withFormerChannel, withFormerExtent } from "./former-names.ts";

const SELECTION_MAX = 50;
const USER_CHARACTERS_MAX = 200;
const FIELD_CHARACTERS_MAX = 400;
const FIELDS_MAX = 40;
const AGREED_MAX = 50;
const ACTIONS = ["add", "remove"] as const;
const EXTENTS = ["short", "full"] as const satisfies readonly VerificationView["extent"][];

/** Order id or reference. */
export const requestName = Type.String({
  pattern: "^(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[2-9A-Za-z]{8})$",
  description: "Of the request: its id, or the reference of 8 characters that the subscriber was told.",
  examples: ["7HK2MQ9T"],
});

const userFields = recordOf(USER_FIELDS, () =>
  Type.Optional(text("As the user gives it.", USER_CHARACTERS_MAX)),
);

export const fieldValues = Type.Record(
  Type.String({ pattern: "^[A-Za-z][A-Za-z0-9_.-]{0,39}$" }),
  Type.String({ minLength: 1, maxLength: FIELD_CHARACTERS_MAX }),
  {
    maxProperties: FIELDS_MAX,
    additionalProperties: false,
    description: "By the names that the catalog, or the service, asks for.",
  },
);

/** What everybody who asks for somebody else says. */
export const asked = {
  subscriber: Type.Object(
    {
      msisdn: Type.Optional(text("E.164.", 40)),
      imsi: Type.Optional(text("6 to 15 digits.", 15)),
      imei: Type.Optional(text("15 digits; with an IMSI, the pair need not have been seen.", 40)),
    },
    {
      additionalProperties: false,
      description: "For whom: at least one number that leads to the subscriber.",
    },
  ),
  action: Type.Optional(words(ACTIONS, "`add` unless given.")),
  selection: Type.Array(itemId, {
    minItems: 1,
    maxItems: SELECTION_MAX,
    description: "Ids of the catalog: packages, features, services.",
  }),
  user: Type.Optional(
    Type.Object(userFields, {
      additionalProperties: false,
      description: "Kept sealed, and shown to nobody.",
    }),
  ),
  fields: Type.Optional(
    Type.Record(Type.String({ pattern: "^[a-z0-9][a-z0-9-]{0,62}$" }), fieldValues, {
      maxProperties: SELECTION_MAX,
      additionalProperties: false,
      description: "What single services ask for, by catalog id and name.",
    }),
  ),
  card: Type.Optional(
    Type.Object(
      {
        number: Type.String({ minLength: 12, maxLength: 40 }),
        expiry: Type.String({ minLength: 4, maxLength: 7, description: "MM/YY." }),
        code: Type.Optional(Type.String({ minLength: 3, maxLength: 4 })),
      },
      {
        additionalProperties: false,
        description: "Goes to the payment provider at once; first six and last four digits are kept.",
      },
    ),
  ),
  account: Type.Optional(
    Type.Object(
      {
        iban: Type.Optional(
          Type.String({ minLength: 5, maxLength: 42, description: "With or without spaces." }),
        ),
        number: Type.Optional(
          Type.String({
            minLength: 5,
            maxLength: 40,
            description: "As the country writes it, where it has check digits.",
          }),
        ),
        country: Type.Optional(
          Type.String({
            pattern: "^[A-Z]{2}$",
            description: `Of such a number: ${NATIONAL_ACCOUNT_COUNTRIES.join(", ")}.`,
          }),
        ),
        holder: Type.Optional(
          Type.String({
            minLength: 1,
            maxLength: HOLDER_CHARACTERS_MAX,
            description: "Whose account it is; goes to the payment provider with it, and is not kept.",
          }),
        ),
        mandate: Type.Literal(true, {
          description: "The holder allows collection by direct debit: without that no account is taken.",
        }),
      },
      {
        additionalProperties: false,
        description:
          "A bank account in place of a card: it goes to the payment provider at once; a token is kept.",
      },
    ),
  ),
  language: Type.Optional(
    Type.String({
      pattern: "^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}$",
      maxLength: 35,
      description: "Of what the subscriber is told, BCP 47; `en` unless given.",
    }),
  ),
};

export const agreed = Type.Optional(
  Type.Array(
    Type.Object({ termsId, version: Type.Integer({ minimum: 1 }) }, { additionalProperties: false }),
    {
      maxItems: AGREED_MAX,
      description: "Terms that were read out and agreed to, in the version that is in force.",
    },
  ),
);

export const Entered = named(
  "EnteredRequest",
  Type.Object({
    id: Type.String({ description: "Of its order." }),
    reference: Type.String({ description: "What the subscriber's SMS call it." }),
    created: Type.Boolean({ description: "False where it came before." }),
  }),
);

const ownNumber = {
  pattern: "^[A-Za-z0-9](?:[A-Za-z0-9 ._/-]{0,38}[A-Za-z0-9])?$",
  description:
    "The operator's own number of the account behind the SIM, for the billing centre. Kept sealed.",
  examples: ["C-4711"],
};

export const accountNumber = Type.String(ownNumber);
export const accountNumberOrNull = Type.Unsafe<string | null>({ type: ["string", "null"], ...ownNumber });

const MissingField = Type.Object({ name: Type.String(), label: Type.String(), kind: Type.String() });

const statusFields = {
  id: Type.String(),
  reference: Type.String(),
  channel: words(CHANNELS, "Who brought it."),
  road: formerWords(CHANNELS, "channel"),
  state: words(ORDER_STATES),
  reason: Type.String({ description: "Why it stands where it stands." }),
  nextAction: Type.String({ description: "What is done next, and by whom." }),
  deadlineAt: instantOrNull(),
  createdAt: instant(),
  items: Type.Array(
    Type.Object({
      id: Type.String(),
      catalogId: Type.String(),
      kind: words(["feature", "service"]),
      package: textOrNull({ description: "Id of the package that it came with." }),
      server: textOrNull({
        description: "Origin of the server that provisions and bills it; null where this one does.",
      }),
      name: Type.String(),
      state: words(ITEM_STATES),
      reason: Type.String(),
      missing: Type.Array(MissingField, { description: "Just these fields are asked for." }),
    }),
  ),
  askAgain: Type.Array(words(USER_FIELDS), { description: "Details of the user that are asked for again." }),
  terms: Type.Array(Type.Object({ termsId: Type.String(), version: Type.Integer(), text: Type.String() }), {
    description: "Texts that wait for an answer.",
  }),
};

export const Status = named("RequestStatus", Type.Object(statusFields));

const rowFields = {
  id: Type.String(),
  reference: Type.String(),
  channel: words(CHANNELS, "Who brought it."),
  road: formerWords(CHANNELS, "channel"),
  action: words(ACTIONS),
  selection: Type.Array(Type.String()),
  actor: Type.String({ description: "Who entered it: device, portal, ivr, sms, or the label of a token." }),
  assurance: words(ASSURANCES, "How sure it was who asked."),
  language: Type.String(),
  state: words(ORDER_STATES),
  reason: Type.String(),
  nextAction: Type.String(),
  deadlineAt: instantOrNull(),
  subscriberId: Type.String(),
  market: textOrNull({
    description: "Country of a listed market: where the network is that served the device.",
  }),
  servingPlmn: textOrNull({ description: "The network that served the device when it was asked for." }),
  createdAt: instant(),
  endedAt: instantOrNull(),
};

export const Row = named("RequestRow", Type.Object(rowFields));

const Consent = Type.Object({
  termsId: Type.String(),
  version: Type.Integer(),
  language: Type.String(),
  sentBy: Type.Array(Type.String(), {
    description:
      "Channels that took the text: sms (the message centre took every part), mail and fax (the mail server took it), or the screen that showed it.",
  }),
  notSentBy: Type.Array(Type.Object({ channel: Type.String(), reason: Type.String() }), {
    description: "Channels that gave it up.",
  }),
  askedAt: instant(),
  answer: wordsOrNull(["accept", "decline"]),
  answeredBy: textOrNull({ description: "The channel: sms, screen, device, telephone, representative." }),
  answeredAt: instantOrNull(),
});
/** How what was given compares with the operator's own record: by fields, results and reasons, never by a value. */
const RECORD_COMPARED = {
  type: ["object", "null"],
  properties: {
    match: { type: "string" },
    score: { type: ["integer", "null"] },
    consequence: { type: "string" },
    isOfAnotherSim: { type: "boolean" },
    fields: {
      type: "array",
      items: {
        type: "object",
        properties: {
          field: { type: "string" },
          result: { type: "string" },
          score: { type: ["integer", "null"] },
          reasons: { type: "array", items: { type: "string" } },
        },
        required: ["field", "result", "score", "reasons"],
      },
    },
  },
  required: ["match", "score", "consequence", "isOfAnotherSim", "fields"],
} as const;

/** An object or null, written as a list of types: the serializer then needs no validation to tell which. */
const Verification = Type.Unsafe<ReturnType<typeof withFormerExtent>>({
  type: ["object", "null"],
  description: "How verification went, in codes.",
  properties: {
    verdict: { type: "string" },
    extent: {
      type: "string",
      enum: [...EXTENTS],
      description: "Short where the device was provisioned for this user before.",
    },
    road: {
      type: "string",
      deprecated: true,
      description: "The former name of `extent`; it goes with the next release.",
    },
    identity: { type: "string" },
    card: { type: "boolean" },
    reasons: { type: "array", items: { type: "string" } },
    record: RECORD_COMPARED,
  },
  required: ["verdict", "extent", "road", "identity", "card", "reasons", "record"],
});

export const Detail = named(
  "RequestDetail",
  Type.Object({
    ...statusFields,
    ...rowFields,
    imsiMasked: Type.String(),
    msisdnMasked: textOrNull(),
    imeiMasked: Type.String(),
    make: textOrNull(),
    model: textOrNull(),
    card: textOrNull({
      description: "First six and last four digits; of a bank account its country and last four characters.",
    }),
    mandate: textOrNull({ description: "Of a bank account: by what it may be collected from, masked." }),
    consents: Type.Array(Consent),
    verification: Verification,
  }),
);

/** As the subscriber sees it. */
export const statusBody = ({
  orderId,
  items,
  terms,
  askAgain,
  ...status
}: RequestStatus): Static<typeof Status> => ({
  ...withFormerChannel(status),
  id: orderId,
  askAgain: [...askAgain],
  items: items.map(({ hasContent: _, ...item }) => ({
    ...item,
    missing: item.missing.map((field) => ({ ...field })),
  })),
  terms: terms.map(({ consentId: _, ...one }) => one),
});

export const rowBody = (row: RequestRow): Static<typeof Row> => ({
  ...withFormerChannel(row),
  selection: [...row.selection],
});

/** As staff see it: reasons are theirs, items and terms as the subscriber sees them. */
export const detailBody = (status: RequestStatus, detail: RequestDetail): Static<typeof Detail> => ({
  ...statusBody(status),
  ...withFormerChannel(detail),
  verification: withFormerExtent(detail.verification),
  selection: [...detail.selection],
  consents: detail.consents.map((consent) => ({
    ...consent,
    sentBy: [...consent.sentBy],
    notSentBy: [...consent.notSentBy],
  })),
});
