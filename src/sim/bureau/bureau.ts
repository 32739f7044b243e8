/**
 * An identity bureau by CAMARA KYC Match 0.4 on invented people: numbers in its register are compared field by field,
 * and a number that it does not know is judged by the last digit, so that trials need no register. (A family name
 * of `Mismatch` never matches; one of `Timeout` is never answered.)
 */
import { membersOf } from "../../term/narrow.ts";
import { startWeb, type WebAnswer, type WebFault, type WebRequest, type WebServer } from "../web/web.ts";

const FIELDS = [
  "idDocument",
  "idDocumentType",
  "givenName",
  "familyName",
  "streetName",
  "streetNumber",
  "postalCode",
  "locality",
  "country",
  "birthdate",
  "email",
] as const;
/** Fields for which the definition has a score. */
const SCORED = new Set<string>(["givenName", "familyName", "streetName", "locality", "email"]);
const PHONE = /^\+[1-9][0-9]{4,14}$/;
const MAX_ASKED = 100_000;

type Person = Readonly<Partial<Record<(typeof FIELDS)[number], string>>>;
export type BureauSimulator = WebServer & {
  /** How often each number was asked for. */
  asked(): ReadonlyMap<string, number>;
};

export async function startBureau(options: {
  readonly secret: string;
  readonly port?: number;
  /** Known people by number (`+` and digits); any other number belongs to whoever says so. */
  readonly people?: ReadonlyMap<string, Person>;
  /** Whether a number outside the register is refused with 404. */
  readonly strict?: boolean;
  /** Whether a document is asked for and compared before all else. */
  readonly needsDocument?: boolean;
  fault?(number: number, request: WebRequest): WebFault | undefined;
  readonly lateMs?: number;
}): Promise<BureauSimulator> {
  const asked = new Map<string, number>();
  const web = await startWeb({
    ...options,
    fault: (number, request) =>
      options.fault?.(number, request) ?? (/"familyName":"Timeout"/.test(request.text) ? "late" : undefined),
    answer(request) {
      const correlator = String(request.headers["x-correlator"] ?? "sim");
      const answer = answerTo(request);
      return { ...answer, headers: { "x-correlator": correlator } };
    },
  });

  function answerTo(request: WebRequest): WebAnswer {
    if (request.method !== "POST" || request.path !== "/kyc-match/v0.4/match")
      return problem(404, "NOT_FOUND");
    const said = membersOf(JSON.parse(request.text));
    const number = said.phoneNumber;
    if (typeof number !== "string" || !PHONE.test(number)) return problem(400, "INVALID_ARGUMENT");
    const fields = FIELDS.filter((field) => typeof said[field] === "string");
    if (fields.length === 0) return problem(400, "KNOW_YOUR_CUSTOMER.INVALID_PARAM_COMBINATION");
    if (asked.size < MAX_ASKED || asked.has(number)) asked.set(number, (asked.get(number) ?? 0) + 1);
    const person = options.people?.get(number);
    if (!person && options.strict) return problem(404, "IDENTIFIER_NOT_FOUND");
    if (options.needsDocument && !said.idDocument)
      return problem(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_REQUIRED");
    if (options.needsDocument && person && said.idDocument !== person.idDocument)
      return problem(403, "KNOW_YOUR_CUSTOMER.ID_DOCUMENT_MISMATCH");
    return { status: 200, body: Object.assign({}, ...fields.map((field) => compared(field, said, person))) };
  }

  return { ...web, asked: () => asked };
}

function compared(
  field: (typeof FIELDS)[number],
  said: Readonly<Record<string, unknown>>,
  person: Person | undefined,
): Readonly<Record<string, string | number>> {
  const value = plain(String(said[field]));
  const onFile = person ? person[field] : field === "familyName" && value === "mismatch" ? "" : value;
  if (onFile === undefined) return { [`${field}Match`]: "not_available" };
  if (plain(onFile) === value) return { [`${field}Match`]: "true" };
  return {
    [`${field}Match`]: "false",
    ...(SCORED.has(field) ? { [`${field}MatchScore`]: likeness(plain(onFile), value) } : {}),
  };
}

const plain = (text: string): string => text.normalize("NFKD").replace(/\p{M}/gu, "").trim().toLowerCase();

/** Share of letters at their place, 0 to 99; a real bureau uses Jaro-Winkler. */
function likeness(one: string, other: string): number {
  const length = Math.max(one.length, other.length, 1);
  const same = [...one].filter((letter, at) => letter === other[at]).length;
  return Math.min(99, Math.round((100 * same) / length));
}

const problem = (status: number, code: string): WebAnswer => ({
  status,
  body: { status, code, message: "refused by the simulated bureau" },
});
