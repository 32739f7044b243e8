/**
 * The door for sightings, and the hot path: the envelope is checked here, each row by the intake, so that one bad row
 * is refused with its reason while the rest goes on.
 */
import { createHash } from "node:crypto";
import Type from "typebox";
import {
  APPLET_HOMES,
  SIGHTING_SOURCES,
  type SightingInput,
  type SightingResult,
  type SightingSource,
} from "../../kernel/detection/sighting.ts";
import { TurnupError } from "../../term/error.ts";
import { assured, isObject, membersOf, wordOf } from "../../term/narrow.ts";
import { decodedText } from "../../wire/csv/text.ts";
import type { Measures } from "../measures.ts";
import { InvalidRequest } from "../problem.ts";
import { type Answer, asItIs, type Route, route } from "../route.ts";
import { named, text, words } from "../schema.ts";
import { RowFault, sightingsOfCsv } from "./sightings.csv.ts";

const SIGHTINGS_MAX = 10_000;
/** 10,000 rows with every field filled are below 4 MiB. */
const BODY_OCTETS_MAX = 8 * 1_024 * 1_024;
/** Longer than any field can rightly be; a longer one is refused before anybody looks at it. */
const FIELD_CHARACTERS_MAX = 100;

const Sighting = named(
  "Sighting",
  Type.Object(
    {
      imei: Type.Optional(
        text("15 digits, or the 14 that a network sends; this or `imeisv`.", FIELD_CHARACTERS_MAX),
      ),
      imeisv: Type.Optional(text("16 digits.", FIELD_CHARACTERS_MAX)),
      imsi: text("6 to 15 digits.", FIELD_CHARACTERS_MAX),
      msisdn: Type.Optional(text("E.164.", FIELD_CHARACTERS_MAX)),
      iccid: Type.Optional(text("Number of the SIM card.", FIELD_CHARACTERS_MAX)),
      gid1: Type.Optional(text("Hexadecimal.", FIELD_CHARACTERS_MAX)),
      spn: Type.Optional(text("Service provider name of the SIM.", FIELD_CHARACTERS_MAX)),
      plmn: Type.Optional(text("Serving network: MCC-MNC or their digits.", FIELD_CHARACTERS_MAX)),
      radio: Type.Optional(
        text(
          "Radio by which it was seen: a number of 3GPP-RAT-Type (TS 29.061) or a word such as `lte`, `nr`, `gsm`.",
          FIELD_CHARACTERS_MAX,
        ),
      ),
      seenAt: Type.Optional(
        text(
          "RFC 3339, or seconds or milliseconds since 1970; a sighting without it was seen when it was received.",
          FIELD_CHARACTERS_MAX,
        ),
      ),
      source: Type.Optional(words(SIGHTING_SOURCES, "Who saw it; else what holds for the whole request.")),
      appletHome: Type.Optional(
        words(
          APPLET_HOMES,
          "Where the applet that reported lives: a SIM card, a UICC, a profile of an eSIM.",
        ),
      ),
    },
    {
      description:
        "One SIM and one handset seen together. Every value is a JSON string: a number loses leading zeros.",
    },
  ),
);
const FIELDS = [
  "imei",
  "imeisv",
  "imsi",
  "msisdn",
  "iccid",
  "gid1",
  "spn",
  "plmn",
  "radio",
  "seenAt",
  "source",
  "appletHome",
] as const;

const SightingsIn = named(
  "Sightings",
  Type.Union([
    Type.Object({
      sightings: Type.Array(Sighting, { maxItems: SIGHTINGS_MAX }),
      source: Type.Optional(words(SIGHTING_SOURCES, "Of every row that names none; `api` unless given.")),
    }),
    Type.Array(Sighting, { maxItems: SIGHTINGS_MAX }),
    Sighting,
  ]),
);

const SightingsOut = named(
  "SightingsAnswer",
  Type.Object({
    accepted: Type.Integer({ description: "Rows that were not refused; all are on disk." }),
    refused: Type.Integer(),
    orders: Type.Integer({ description: "Orders opened." }),
    results: Type.Optional(
      Type.Array(
        Type.Object({
          outcome: words(["first_registration", "sim_moved", "unchanged", "late", "refused"]),
          orderId: Type.Optional(Type.String()),
          subscriberId: Type.Optional(Type.String()),
          deviceId: Type.Optional(Type.String()),
          code: Type.Optional(Type.String({ description: "Why it was refused, a code of docs/errors.md." })),
          reason: Type.Optional(Type.String()),
          notes: Type.Optional(
            Type.Array(Type.String(), {
              description: "Optional fields that could not be read and were left out; the sighting counts.",
            }),
          ),
        }),
        { description: "One a row, in the order of the request; left out with `summary=true`." },
      ),
    ),
  }),
);

type Refused = Extract<SightingResult, { outcome: "refused" }>;

export const reportSightings = (measures: Measures): Route =>
  route({
    method: "POST",
    path: "/v1/sightings",
    summary: "Report sightings: one, or up to 10,000, as JSON or CSV with a header row",
    description:
      "Durable when answered. A repeated sighting changes nothing, so the whole request can be sent again after a lost answer.",
    tag: "sightings",
    roles: ["probe", "engineer", "admin"],
    errors: ["batch_too_large", "intake_full"],
    status: 200,
    query: {
      summary: Type.Optional(
        Type.Boolean({ description: "Counts only: much faster, since most pairs are known by heart." }),
      ),
      source: Type.Optional(
        words(
          SIGHTING_SOURCES,
          "Of every row that names none; `csv` for a CSV body and `api` for JSON unless given.",
        ),
      ),
    },
    body: SightingsIn,
    tellsApart: byItsSum,
    checksOwnBody: true,
    answer: SightingsOut,
    bodyLimitOctets: BODY_OCTETS_MAX,
    consumes: ["text/csv"],
    async handle({ intake }, { body, query, caller }) {
      const { rows, source } = envelopeOf(body, query.source);
      if (rows.length > SIGHTINGS_MAX) {
        throw new TurnupError(
          "batch_too_large",
          `One request holds ${rows.length} sightings, and ${SIGHTINGS_MAX} are taken.`,
          {
            nextStep: `Send at most ${SIGHTINGS_MAX} in one request.`,
          },
        );
      }
      const results = await acceptRows(rows, (sightings) =>
        intake.accept(caller.operatorId, sightings, source, query.summary === true ? "unneeded" : "wanted"),
      );
      return written(results, query.summary === true, measures);
    },
  });

type Envelope = { readonly rows: readonly unknown[]; readonly source: SightingSource };

/** A CSV body by its sum: a list of its octets would be many times as long. */
const byItsSum = (body: unknown): unknown =>
  Buffer.isBuffer(body) ? createHash("sha256").update(body).digest("hex") : body;

function envelopeOf(body: unknown, asked: SightingSource | undefined): Envelope {
  if (body instanceof Uint8Array)
    return { rows: sightingsOfCsv(decodedText(body), SIGHTINGS_MAX), source: asked ?? "csv" };
  if (Array.isArray(body)) return { rows: body, source: asked ?? "api" };
  if (typeof body !== "object" || body === null) {
    throw new InvalidRequest([
      { at: "body", wanted: "a sighting, a list of them, or {sightings: [...]} is wanted" },
    ]);
  }
  if (!("sightings" in body)) return { rows: [body], source: asked ?? "api" };
  const { sightings, source = asked ?? "api", ...others } = membersOf(body);
  const [stray] = Object.keys(others);
  if (stray !== undefined)
    throw new InvalidRequest([{ at: `body/${stray.slice(0, 40)}`, wanted: "is not known here" }]);
  if (!Array.isArray(sightings))
    throw new InvalidRequest([{ at: "body/sightings", wanted: "must be array" }]);
  const known = wordOf(SIGHTING_SOURCES, source);
  if (known === undefined) {
    throw new InvalidRequest([
      { at: "body/source", wanted: `must be one of ${SIGHTING_SOURCES.join(", ")}` },
    ]);
  }
  return { rows: sightings, source: known };
}

/** Rows that are not even texts are refused here, the rest by the intake; the answers stand in the order that came. */
async function acceptRows(
  rows: readonly unknown[],
  accept: (sightings: readonly SightingInput[]) => Promise<SightingResult[]>,
): Promise<readonly SightingResult[]> {
  const refusals = new Map<number, Refused>();
  const good: SightingInput[] = [];
  for (let at = 0; at < rows.length; at++) {
    const row = readRow(rows[at]);
    if ("outcome" in row) refusals.set(at, row);
    else good.push(row.sighting);
  }
  const answered = good.length > 0 ? await accept(good) : [];
  if (refusals.size === 0) return answered;
  let next = 0;
  return rows.map((_, at) => refusals.get(at) ?? assured(answered[next++], "each good row has its answer"));
}

function readRow(row: unknown): { readonly sighting: SightingInput } | Refused {
  if (row instanceof RowFault) return malformed(row.reason);
  if (!isObject(row)) return malformed("a sighting is an object");
  for (const name of FIELDS) {
    const value = row[name];
    if (value === undefined) continue;
    if (typeof value !== "string") return malformed(`${name} must be a JSON string`);
    if (value.length > FIELD_CHARACTERS_MAX)
      return malformed(`${name} is longer than ${FIELD_CHARACTERS_MAX} characters`);
    if (value.includes("\0")) return malformed(`${name} holds a null character`);
  }
  return { sighting: row }; // each of its fields is a text or is not there
}

const malformed = (reason: string): Refused => ({ outcome: "refused", code: "sighting_malformed", reason });

/** Counts and writes the answer. The rows are our own words, so they need no serializer that picks by schema. */
function written(results: readonly SightingResult[], summary: boolean, measures: Measures): Answer<never> {
  const rows = { first_registration: 0, sim_moved: 0, unchanged: 0, late: 0, refused: 0 };
  for (const { outcome } of results) rows[outcome]++;
  for (const [outcome, count] of Object.entries(rows)) {
    if (count > 0) measures.sightings.inc({ outcome }, count);
  }
  const { refused } = rows;
  const orders = rows.first_registration + rows.sim_moved;
  const counts = { accepted: results.length - refused, refused, orders };
  return asItIs(JSON.stringify(summary ? counts : { ...counts, results }), {
    "content-type": "application/json; charset=utf-8",
  });
}
