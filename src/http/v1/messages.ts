/** Messages: what was sent and how far it got, and plain texts through the durable outbox. */
import Type from "typebox";
import { parseMsisdn } from "../../term/msisdn.ts";
import { answerPage, pageOf } from "../page.ts";
import { accepted, route } from "../route.ts";
import {
  id,
  instant,
  instantOrNull,
  integerOrNull,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
} from "../schema.ts";

const MESSAGE_STATES = [
  "queued",
  "submitting",
  "submitted",
  "delivered",
  "failed",
  "expired",
  "cancelled",
] as const;
const MESSAGES_MAX = 1_000;
/** 255 parts would be allowed by the wire; a text of ten is already a letter. */
const TEXT_CHARACTERS_MAX = 1_530;
const BODY_OCTETS_MAX = 8 * 1_024 * 1_024;

export const messageFields = {
  id: Type.String(),
  orderId: textOrNull(),
  kind: Type.String(),
  protocol: Type.String(),
  sec: textOrNull({ description: "How an OMA CP message proves itself." }),
  state: Type.Unsafe<string>(words(MESSAGE_STATES)),
  reason: Type.String(),
  octets: Type.Integer(),
  partCount: Type.Integer(),
  bearer: textOrNull({ description: "What carries it to the device; null where nobody said so." }),
  channel: textOrNull({ description: "narrowband or wideband." }),
  channelRule: textOrNull({ description: "The rule that chose the channel and the form." }),
  partOctets: integerOrNull({ description: "Of one short message, its header included; null: 140." }),
  attempts: Type.Integer(),
  createdAt: instant(),
  updatedAt: instant(),
  expiresAt: instant(),
  parts: Type.Array(
    Type.Object({
      sequence: Type.Integer(),
      smsc: Type.String(),
      smscMessageId: Type.String(),
      state: Type.String(),
      errorCode: textOrNull(),
      reportedState: textOrNull({
        description: "The centre's own word in its receipt, where it is not one of SMPP's.",
      }),
      acceptedAt: instant(),
      doneAt: instantOrNull(),
    }),
  ),
};
const Message = named("Message", Type.Object(messageFields));

export const listMessages = route({
  method: "GET",
  path: "/v1/messages",
  summary: "Messages, newest first, with what the SMSC said to each part",
  tag: "messages",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  query: {
    ...pageQuery,
    state: Type.Optional(words(MESSAGE_STATES)),
    orderId: Type.Optional(id("Of the order that it belongs to.")),
  },
  answer: page(Message),
  async handle({ orders }, { query, caller, request }) {
    const filter = { state: query.state, orderId: query.orderId };
    const found = await orders.listMessages(caller.operatorId, filter, pageOf(query));
    return answerPage(
      { ...found, rows: found.rows.map((row) => ({ ...row, parts: [...row.parts] })) },
      request,
    );
  },
});

const campaign = Type.Optional(
  Type.Boolean({
    description: [
      "True: nobody asked for it. It waits for the end of the operator's quiet hours, and a number that said STOP gets none:",
      "its message fails with that reason. False unless given: an answer to what was asked for goes at any time.",
    ].join(" "),
  }),
);
const textFields = {
  to: text("Phone number, E.164.", 40),
  text: Type.String({
    minLength: 1,
    maxLength: TEXT_CHARACTERS_MAX,
    pattern: "^[^\\u0000]*$",
    description: `1 to ${TEXT_CHARACTERS_MAX} characters, no null character.`,
  }),
};
const TextIn = Type.Object(textFields, { additionalProperties: false });

export const sendMessages = route({
  method: "POST",
  path: "/v1/messages",
  summary: "Send a plain text, or up to 1,000 of them",
  description:
    "202 means that every message is on disk and will be handed to the SMSC. A repeat with the same key sends nothing.",
  tag: "messages",
  roles: ["admin", "engineer"],
  errors: [
    "msisdn_malformed",
    "text_empty",
    "text_too_long",
    "intake_full",
    "sms_day_spent",
    "sms_queue_full",
  ],
  status: 202,
  once: "desk",
  bodyLimitOctets: BODY_OCTETS_MAX,
  body: Type.Union([
    Type.Object({ ...textFields, campaign }, { additionalProperties: false }),
    Type.Object(
      { messages: Type.Array(TextIn, { minItems: 1, maxItems: MESSAGES_MAX }), campaign },
      { additionalProperties: false },
    ),
  ]),
  answer: Type.Object({
    messages: Type.Array(Type.Object({ id: Type.String(), created: Type.Boolean() }), {
      description: "In the order of the request; `created` is false where the key was used before.",
    }),
  }),
  async handle({ texts }, { body, caller, once }) {
    const wanted = "messages" in body ? body.messages : [body];
    const sent = await texts.send(
      caller.operatorId,
      wanted.map(({ to, text: words }, at) => ({
        to: parseMsisdn(to),
        text: words,
        idempotencyKey: wanted.length === 1 ? once.key : `${once.key}/${at}`,
      })),
      { isUnasked: body.campaign ?? false },
    );
    return accepted({ messages: [...sent] });
  },
});
