/**
 * The operator's own records of its subscribers (US 6,647,260, columns 3 and 5; R38): given one by one or in batches, shown
 * masked, erased for good. Who asks for something is compared with them by the policy's `request.ownRecords`.
 */

import Type, { type Static } from "typebox";
import type {
  RecordNumber,
  SubscriberRecord,
  SubscriberRecordView,
} from "../../kernel/account/own-records.ts";
import type { Role } from "../../kernel/account/role.ts";
import { USER_FIELDS } from "../../kernel/account/user-data.ts";
import { numbersOf, type RecordRow, readRecord } from "../../kernel/registration/read-record.ts";
import { TurnupError } from "../../term/error.ts";
import { recordOf } from "../../term/record.ts";
import { answerPage, pageOf } from "../page.ts";
import { gone, ok, route } from "../route.ts";
import { instant, named, page, pageQuery, text, textOrNull } from "../schema.ts";
import { numberNamed, subscriberNumber } from "./subscribers/number.ts";

const READERS: readonly Role[] = ["admin", "engineer", "care"];
const WRITERS: readonly Role[] = ["admin", "engineer"];
const BATCH_MAX = 1_000;
const BODY_OCTETS_MAX = 2 * 1_024 * 1_024;
const VALUE_CHARACTERS_MAX = 300;
const SOURCE = "api";

const userFields = recordOf(USER_FIELDS, () =>
  Type.Optional(text("As the customer system has it.", VALUE_CHARACTERS_MAX)),
);
const numbers = {
  imsi: Type.Optional(text("14 or 15 digits.", 15)),
  msisdn: Type.Optional(text("E.164.", 20)),
};
const RecordIn = named(
  "SubscriberRecordIn",
  Type.Object(
    { ...numbers, user: Type.Object(userFields, { additionalProperties: false }) },
    { additionalProperties: false, description: "One number at least, and one field of the person." },
  ),
);
const masked = recordOf(USER_FIELDS, () => Type.Optional(Type.String()));
const RecordOut = named(
  "SubscriberRecord",
  Type.Object({
    id: Type.String(),
    imsiMasked: textOrNull(),
    msisdnMasked: textOrNull(),
    user: Type.Object(masked, { description: "Of each field on file its first character." }),
    source: Type.String({ description: "What brought it: a file's name, or `api`." }),
    updatedAt: instant(),
  }),
);
const RefusedOut = Type.Object({
  at: Type.Integer({ description: "Its place in the batch, from 0." }),
  reason: Type.String({ description: "The field and what is wrong with it; never a value." }),
});
const recordBody = ({ user, ...record }: SubscriberRecordView) => ({ ...record, user: { ...user } });

const shared = { tag: "requests", status: 200 } as const;
const numbered = {
  ...shared,
  path: "/v1/subscriber-records/:number",
  params: { number: subscriberNumber },
} as const;

export const listSubscriberRecords = route({
  ...shared,
  method: "GET",
  path: "/v1/subscriber-records",
  summary: "The operator's own subscriber records, masked",
  roles: READERS,
  errors: [],
  query: pageQuery,
  answer: page(RecordOut),
  async handle({ ownRecords }, { query, caller, request }) {
    const found = await ownRecords.list(caller.operatorId, pageOf(query));
    return answerPage({ ...found, rows: found.rows.map(recordBody) }, request);
  },
});

export const putSubscriberRecords = route({
  ...shared,
  method: "POST",
  path: "/v1/subscriber-records",
  summary: `Give up to ${BATCH_MAX} subscriber records; bad ones are named, the rest is taken`,
  description:
    "Each takes the place of the one with its SIM or number, so that the whole batch can be sent again after a lost answer.",
  roles: WRITERS,
  errors: [],
  body: Type.Object(
    { records: Type.Array(RecordIn, { minItems: 1, maxItems: BATCH_MAX }) },
    { additionalProperties: false },
  ),
  bodyLimitOctets: BODY_OCTETS_MAX,
  answer: Type.Object({
    taken: Type.Integer(),
    replaced: Type.Integer({ description: "Records that stood under the same SIM or number before." }),
    refused: Type.Array(RefusedOut),
  }),
  async handle({ ownRecords, clock }, { body, caller: { operatorId, label } }) {
    const { records, refused } = readBatch(body.records, clock());
    const put = await ownRecords.put(operatorId, records, { source: SOURCE, actor: label });
    return ok({ ...put, refused });
  },
});

const WHOLE_MAX = 50_000;
const WHOLE_OCTETS_MAX = 48 * 1_024 * 1_024;
const MOST_REMOVED_PERCENT = 10;

export const putAllSubscriberRecords = route({
  ...shared,
  method: "PUT",
  path: "/v1/subscriber-records",
  summary: `Give all subscriber records, up to ${WHOLE_MAX}: who is not among them any more is erased`,
  description:
    "A record that cannot be taken leaves the one that is there as it is; one without a number that can be read stops all of it. More records than that come by `turnup record import --whole`.",
  roles: WRITERS,
  errors: ["subscriber_record_malformed", "subscriber_records_many_removed"],
  body: Type.Object(
    {
      records: Type.Array(RecordIn, { minItems: 1, maxItems: WHOLE_MAX }),
      dryRun: Type.Optional(Type.Boolean({ description: "Say what it comes to; write nothing." })),
      mostRemovedPercent: Type.Optional(
        Type.Integer({
          minimum: 0,
          maximum: 100,
          description: `Of the records that are there, at most so many may go; ${MOST_REMOVED_PERCENT} where nothing is said.`,
        }),
      ),
      confirmRemoved: Type.Optional(
        Type.Integer({ minimum: 0, description: "So many may go, whatever their share." }),
      ),
    },
    { additionalProperties: false },
  ),
  bodyLimitOctets: WHOLE_OCTETS_MAX,
  answer: Type.Object({
    there: Type.Integer({ description: "Records before." }),
    added: Type.Integer(),
    changed: Type.Integer(),
    unchanged: Type.Integer(),
    removed: Type.Integer({ description: "Erased for good." }),
    dryRun: Type.Boolean(),
    refused: Type.Array(RefusedOut),
  }),
  async handle({ ownRecords, clock }, { body, caller: { operatorId, label } }) {
    const { dryRun = false, mostRemovedPercent: mostPercent = MOST_REMOVED_PERCENT } = body;
    const { records, refused } = readBatch(body.records, clock());
    const kept = refused.flatMap(({ at, reason }) => {
      const one = body.records[at];
      const numbers = one ? numbersOf(rowOf(one)) : [];
      if (numbers.length > 0) return numbers;
      throw new TurnupError(
        "subscriber_record_malformed",
        `Whose record ${at} is cannot be read: ${reason}.`,
        {
          nextStep: "Mend it: whoever it is of would be erased.",
        },
      );
    });
    const given = { records, kept, source: SOURCE, actor: label };
    const plan = dryRun
      ? await ownRecords.planWhole(operatorId, given)
      : await ownRecords.putWhole(operatorId, given, { mostPercent, confirmed: body.confirmRemoved ?? null });
    return ok({ ...plan, dryRun, refused });
  },
});

type Given = Static<typeof RecordIn>;
type Refused = { readonly at: number; readonly reason: string };

/** The first of two with one number is taken. */
function readBatch(
  given: readonly Given[],
  now: Date,
): { readonly records: SubscriberRecord[]; readonly refused: Refused[] } {
  const records: SubscriberRecord[] = [];
  const refused: Refused[] = [];
  const seen = new Map<string, number>();
  for (const [at, one] of given.entries()) {
    const read = readRecord(rowOf(one), { now });
    const keys = "record" in read ? [`i${read.record.imsi ?? at}`, `m${read.record.msisdn ?? at}`] : [];
    const before = keys.map((key) => seen.get(key)).find((place) => place !== undefined);
    if (!("record" in read)) refused.push({ at, reason: read.reason });
    else if (before !== undefined) refused.push({ at, reason: `its number stands at ${before} already` });
    else {
      records.push(read.record);
      for (const key of keys) seen.set(key, at);
    }
  }
  return { records, refused };
}

const rowOf = ({ imsi, msisdn, user }: Given): RecordRow => ({
  ...user,
  ...(imsi !== undefined && { imsi }),
  ...(msisdn !== undefined && { msisdn }),
});

export const putSubscriberRecord = route({
  ...numbered,
  method: "PUT",
  summary: "Give the record of one subscriber; it takes the place of the one before",
  roles: WRITERS,
  errors: [
    "imsi_malformed",
    "msisdn_malformed",
    "subscriber_record_malformed",
    "subscriber_record_not_found",
  ],
  body: RecordIn,
  answer: RecordOut,
  async handle({ ownRecords, clock }, { params, body, caller: { operatorId, label } }) {
    const number = numberNamed(params.number);
    const read = readRecord({ ...rowOf(body), ...number }, { now: clock() });
    if (!("record" in read))
      throw new TurnupError("subscriber_record_malformed", `This is no subscriber record: ${read.reason}.`, {
        nextStep: "Mend the field named and send it again.",
      });
    await ownRecords.put(operatorId, [read.record], { source: SOURCE, actor: label });
    return ok(recordBody(await recordNamed(ownRecords.find, operatorId, number)));
  },
});

export const getSubscriberRecord = route({
  ...numbered,
  method: "GET",
  summary: "The record of one subscriber, masked; the look is audited",
  roles: READERS,
  errors: ["imsi_malformed", "msisdn_malformed", "subscriber_record_not_found"],
  answer: RecordOut,
  async handle({ ownRecords, audit }, { params, caller: { operatorId, label } }) {
    const found = await recordNamed(ownRecords.find, operatorId, numberNamed(params.number));
    await audit.record(operatorId, { actor: label, action: "subscriber_record.read", subject: found.id });
    return ok(recordBody(found));
  },
});

export const eraseSubscriberRecord = route({
  ...numbered,
  method: "DELETE",
  summary: "Erase the record of one subscriber for good",
  roles: WRITERS,
  errors: ["imsi_malformed", "msisdn_malformed", "subscriber_record_not_found"],
  status: 204,
  async handle({ ownRecords }, { params, caller: { operatorId, label } }) {
    if (!(await ownRecords.remove(operatorId, numberNamed(params.number), label))) throw recordNotFound();
    return gone();
  },
});

const recordNotFound = (): TurnupError =>
  new TurnupError("subscriber_record_not_found", "There is no record of this number.", {
    nextStep: "GET /v1/subscriber-records lists those that are there.",
  });

async function recordNamed(
  find: (operatorId: string, number: RecordNumber) => Promise<SubscriberRecordView | undefined>,
  operatorId: string,
  number: RecordNumber,
): Promise<SubscriberRecordView> {
  const found = await find(operatorId, number);
  if (!found) throw recordNotFound();
  return found;
}
