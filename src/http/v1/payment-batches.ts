/** Payment files (ISO 20022 pain.001.001.09) to manufacturers: what waits, made once, read again octet for octet. */
import Type from "typebox";
import { actingOf } from "../../kernel/account/person.ts";
import { TRANSFER_STATES } from "../../kernel/settlement/bank-fact.ts";
import { RELEASE_STATES } from "../../kernel/settlement/payment-batch.ts";
import { TurnupError } from "../../term/error.ts";
import { answerPage, pageOf } from "../page.ts";
import { created, ok, route } from "../route.ts";
import {
  currency,
  id,
  instant,
  instantOrNull,
  minorUnits,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
  wordsOrNull,
} from "../schema.ts";

const LEFT_OUT = ["no_account", "set_off", "disputed"] as const;
const sum = {
  make: Type.String(),
  currency: currency(),
  amountMinor: minorUnits("Minor units."),
  lines: Type.Integer(),
};
const LeftOut = Type.Object({ ...sum, why: words(LEFT_OUT) });
const Transfer = named(
  "PaymentTransfer",
  Type.Object({
    id: Type.String(),
    batchId: Type.String(),
    make: Type.String(),
    currency: currency(),
    amountMinor: minorUnits("What it pays, in minor units."),
    bookedMinor: minorUnits("What the bank was seen to pay of it."),
    endToEndId: Type.String({ description: "In the file, and on both sides' bank statements." }),
    reference: Type.String({ description: "What the manufacturer finds it by." }),
    creditorMasked: Type.String(),
    accountChangedAt: textOrNull({
      format: "date-time",
      description:
        "When the manufacturer's account was last changed, where no second person approved a payment to it since.",
    }),
    state: words(TRANSFER_STATES),
    reason: Type.String(),
    nextAction: Type.String(),
    owner: Type.String(),
    deadlineAt: instantOrNull(),
    isOverdue: Type.Boolean(),
    createdAt: instant(),
    updatedAt: instant(),
  }),
);
const batch = {
  id: Type.String(),
  executionDate: Type.String({ description: "The day on which the bank is to pay." }),
  transferCount: Type.Integer(),
  payerMasked: Type.String(),
  sha256: Type.String({ description: "Of the file." }),
  octets: Type.Integer(),
  madeBy: Type.String(),
  madeByPerson: textOrNull({ description: "Whose token that was; null where nobody said." }),
  madeAt: instant(),
  release: words(
    RELEASE_STATES,
    "`awaiting` a second person; what was `refused` or `lapsed` no bank will have.",
  ),
  releaseUntil: instantOrNull(),
  releasedBy: textOrNull({ description: "Who approved or refused it." }),
  releasedByPerson: textOrNull(),
  releasedAt: instantOrNull(),
  releaseReason: textOrNull(),
};
const Batch = named("PaymentBatch", Type.Object(batch));
const BatchStory = named(
  "PaymentBatchStory",
  Type.Object({
    ...batch,
    transfers: Type.Array(Transfer),
    leftOut: Type.Array(LeftOut, {
      description: "Only in the answer that made it: what no file pays now, and why.",
    }),
  }),
);

const batchNotFound = (): TurnupError =>
  new TurnupError("payment_batch_not_found", "There is no such payment file.", {
    nextStep: "GET /v1/payment-batches lists them.",
  });
const transferNotFound = (): TurnupError =>
  new TurnupError("payment_transfer_not_found", "There is no such transfer.", {
    nextStep: "GET /v1/payment-batches/ID lists those of a file.",
  });

export const listPayables = route({
  method: "GET",
  path: "/v1/payables",
  summary: "What a payment file would pay now, and what it would leave out",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({ rows: Type.Array(Type.Object({ ...sum, why: wordsOrNull(LEFT_OUT) })) }),
  async handle({ settlement }, { caller }) {
    return ok({ rows: [...(await settlement.payments.payables(caller.operatorId))] });
  },
});

const executionDate = Type.String({
  pattern: "^20\\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$",
  description: "The day on which the bank is to pay; the next weekday unless given.",
});

export const makePaymentBatch = route({
  method: "POST",
  path: "/v1/payment-batches",
  summary: "Make a payment file of all portions that wait; it pays nobody until a bank has it and says so",
  tag: "money",
  roles: ["admin"],
  errors: ["payer_missing", "nothing_payable", "person_unknown"],
  status: 201,
  once: "door",
  body: Type.Object(
    {
      executionDate: Type.Optional(executionDate),
      makes: Type.Optional(Type.Array(text("Manufacturer.", 80), { minItems: 1, maxItems: 1_000 })),
      currency: Type.Optional(currency()),
    },
    { additionalProperties: false },
  ),
  answer: BatchStory,
  async handle({ settlement }, { body, caller, once }) {
    const asked = { ...body, id: once.subjectId };
    const made = await settlement.payments.make(caller.operatorId, asked, actingOf(caller));
    return created({ ...made, transfers: [...made.transfers], leftOut: [...made.leftOut] });
  },
});

export const listPaymentBatches = route({
  method: "GET",
  path: "/v1/payment-batches",
  summary: "Payment files, newest first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  query: pageQuery,
  answer: page(Batch),
  async handle({ settlement }, { query, caller, request }) {
    return answerPage(await settlement.payments.list(caller.operatorId, pageOf(query)), request);
  },
});

export const getPaymentBatch = route({
  method: "GET",
  path: "/v1/payment-batches/:id",
  summary: "One payment file with its transfers and what the bank said of each",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: ["payment_batch_not_found"],
  status: 200,
  params: { id: id("Of the payment file.") },
  answer: BatchStory,
  async handle({ settlement }, { params, caller }) {
    const found = await settlement.payments.find(caller.operatorId, params.id);
    if (!found) throw batchNotFound();
    return ok({ ...found, transfers: [...found.transfers], leftOut: [...found.leftOut] });
  },
});

const XML = "application/xml";

export const getPaymentFile = route({
  method: "GET",
  path: "/v1/payment-batches/:id/file",
  summary: "The file for the bank, octet for octet as it was made; who fetched it stands in the audit",
  tag: "money",
  roles: ["admin"],
  errors: ["payment_batch_not_found", "payment_file_unreleased"],
  status: 200,
  params: { id: id("Of the payment file.") },
  produces: [XML],
  async handle({ settlement }, { params, caller }) {
    const octets = await settlement.payments.file(caller.operatorId, params.id, caller.label);
    if (!octets) throw batchNotFound();
    return ok(Buffer.from(octets) as unknown, {
      // octets, which no schema describes
      "content-type": XML,
      "content-disposition": `attachment; filename="pain001-${params.id}.xml"`,
    });
  },
});

export const releasePaymentBatch = route({
  method: "POST",
  path: "/v1/payment-batches/:id/release",
  summary:
    "Approve a payment file as its second person, or refuse it: what it would have paid waits for the next one",
  description:
    "Where the policy has `payments.secondPerson`, nobody has the file before. Whoever made it may only refuse it, with whichever token; so may whoever made the other's token. A token that names no person neither makes nor approves one.",
  tag: "money",
  roles: ["admin"],
  errors: [
    "payment_batch_not_found",
    "payment_file_decided",
    "payment_file_outdated",
    "second_person_needed",
    "person_unknown",
  ],
  status: 200,
  params: { id: id("Of the payment file.") },
  body: Type.Object(
    { outcome: words(["approved", "refused"]), reason: text("Why; it stands in the audit.") },
    { additionalProperties: false },
  ),
  answer: BatchStory,
  async handle({ settlement }, { params, body, caller }) {
    const { payments } = settlement;
    const story = await payments.release(caller.operatorId, params.id, body, actingOf(caller));
    return ok({ ...story, transfers: [...story.transfers], leftOut: [...story.leftOut] });
  },
});

export const listWaitingTransfers = route({
  method: "GET",
  path: "/v1/payment-transfers",
  summary: "Transfers that wait for a bank's word, the longest overdue first",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: [],
  status: 200,
  answer: Type.Object({ rows: Type.Array(Transfer) }),
  async handle({ settlement }, { caller }) {
    return ok({ rows: [...(await settlement.payments.waiting(caller.operatorId, TRANSFERS_SHOWN_MAX))] });
  },
});
const TRANSFERS_SHOWN_MAX = 1_000;

export const getRemittanceAdvice = route({
  method: "GET",
  path: "/v1/payment-transfers/:id/advice",
  summary: "The remittance advice of a transfer: each key that it pays, and what is set off",
  tag: "money",
  roles: ["admin", "engineer"],
  errors: ["payment_transfer_not_found"],
  status: 200,
  params: { id: id("Of the transfer.") },
  answer: Type.Object({
    lines: Type.Array(
      Type.Object({
        chargeId: Type.String(),
        itemId: Type.String(),
        keyReference: textOrNull({ description: "The key's id in hex, as in the manufacturer's own list." }),
        amountMinor: minorUnits("Below zero: a portion that is taken back."),
        bookedMinor: minorUnits("What the bank was seen to pay of it."),
      }),
    ),
  }),
  async handle({ settlement }, { params, caller }) {
    const lines = await settlement.payments.advice(caller.operatorId, params.id);
    if (!lines) throw transferNotFound();
    return ok({ lines: [...lines] });
  },
});

export const cancelTransfer = route({
  method: "POST",
  path: "/v1/payment-transfers/:id/cancel",
  summary: "Take back a transfer whose file no bank has: its portions wait for the next one",
  description:
    "Only while no bank has spoken of it, and its file waits for no second person. A bank that has the file pays all the same: the file can be had no more.",
  tag: "money",
  roles: ["admin"],
  errors: ["payment_transfer_not_found", "payment_transfer_closed"],
  status: 200,
  params: { id: id("Of the transfer.") },
  body: Type.Object({ reason: text("Why; it stands in the audit.") }, { additionalProperties: false }),
  answer: Transfer,
  async handle({ settlement }, { params, body, caller }) {
    return ok(await settlement.payments.cancel(caller.operatorId, params.id, body.reason, caller.label));
  },
});
