/**
 * Reports of the IMEI-tracking applet on the operator's cards, as the message centre delivers them to a short code: each
 * becomes a sighting. Whose phone it is stands in the report, or is found by the number that sent it, which only our own
 * link to the centre vouches for. Nothing is sent back.
 */
import { RE2JS } from "re2js";
import type { Intake, SightingInput } from "../../kernel/detection/sighting.ts";
import { isEightBit } from "../../net/smsc/phone-data.ts";
import type { Database } from "../../store/database/database.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import type { DeviceStatements } from "../../store/sightings/device-statements.ts";
import { TurnupError } from "../../term/error.ts";
import { type HomePlmnOf, parseImsi } from "../../term/imsi.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { messageOf } from "../../term/narrow.ts";
import {
  type AppletReport,
  DEFAULT_TEXT_PATTERN,
  decodeBinaryReport,
  readTextReport,
  type TextGroups,
} from "../../wire/applet/report.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import type { DeliverSm } from "../../wire/smpp/command.ts";
import { partOf } from "../../wire/smpp/user-data.ts";
import { createReassembler } from "../../wire/sms/reassembly.ts";
import { decodeText } from "../../wire/sms/text.ts";
import { nationalShiftsOf } from "../../wire/sms/udh.ts";
import type { Config } from "../config/config.ts";

/** `part`: more of it is to come; `refused`: it is no report, or names nobody. */
export type AppletOutcome = "sighting" | "refused" | "part";
export type AppletReports = {
  isFor(pdu: Pick<DeliverSm, "destination_addr">): boolean;
  /** Durable when it resolves. An applet that is not answered reports again after its next start. */
  take(pdu: DeliverSm): Promise<AppletOutcome>;
};

/** Types of number that are E.164: unknown, as many centres say, and international. */
const FULL_NUMBERS = [0, 1];
const PARTS = { limitMessages: 1_000, limitOctets: 1_048_576, timeoutMs: 300_000 };
/** An operator that was not found is looked for again after this. */
const OPERATOR_SOUGHT_MS = 10_000;

const OPERATORS = "select id, slug from operator order by id limit 1";
const OPERATOR = "select id, slug from operator where slug = $1";
const IMSI_OF = {
  name: "imsi_of_number", // subscriber_by_msisdn
  text: `select imsi_sealed as sealed from subscriber where operator_id = $1 and msisdn_index = $2 order by id desc limit 1`,
};

type AppletDeps = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly intake: Intake;
  readonly homePlmnOf: HomePlmnOf;
  readonly clock: () => Date;
  /** What the terminal told its card of itself. */
  readonly heardOfDevice?: DeviceStatements["note"];
};

/**
 * Null where no short code is set.
 * @throws TurnupError `config_invalid`: a pattern that is none, or does not name `imei`
 */
export function createAppletReports(deps: AppletDeps, { applet }: Config): AppletReports | null {
  const { shortCode } = applet;
  if (shortCode === undefined) return null;
  const pattern = reportPatternOf(applet.textPattern);
  const parts = createReassembler(PARTS);
  const operatorId = operatorOf(deps, applet.operator);
  return {
    isFor: ({ destination_addr }) => destination_addr.replace(/^\+/, "") === shortCode,
    async take(pdu) {
      try {
        const whole = wholeOf(pdu);
        if (!whole) return "part";
        const report = isEightBit(pdu.data_coding)
          ? decodeBinaryReport(whole.bytes)
          : readTextReport(decodeText(pdu.data_coding, whole.bytes, whole.shifts), pattern);
        const operator = report && (await operatorId());
        const sighting = operator && (await sightingOf(deps, operator, report, numberOf(pdu)));
        if (!sighting) return "refused";
        const [result] = await deps.intake.accept(operator, [sighting], "applet", "unneeded");
        if (result?.outcome === "refused") return "refused";
        const { imei, imeisv, profile: value } = report;
        const number = imei ?? imeisv;
        if (value && number !== null)
          deps.heardOfDevice?.({
            ...{ operatorId: operator, device: { imei: number }, at: deps.clock() },
            ...{ source: "terminal_profile", value },
          });
        return "sighting";
      } catch (error) {
        if (error instanceof DecodeError) return "refused";
        throw error; // the database is away: the centre keeps the message
      }
    },
  };

  /** The languages of a text are those that its first part names. */
  function wholeOf(pdu: DeliverSm) {
    const { udh, data } = partOf(pdu);
    if (udh.length === 0) return { bytes: data, shifts: {} };
    const { source_addr: from, destination_addr: to } = pdu;
    const whole = parts.accept({ from, to, udh, data, atMs: deps.clock().getTime() });
    return whole && { bytes: whole.bytes, shifts: nationalShiftsOf(whole.udh) };
  }
}

const REPORT_GROUPS = ["imei", "imsi", "iccid", "home"] as const;
const DEFAULT_PATTERN = new RegExp(DEFAULT_TEXT_PATTERN, "i");

/**
 * How reports in text are read. An operator's own pattern runs in time linear in the text, whatever it is (RE2): look-around and
 * back-references, which cannot, are refused.
 * @throws TurnupError `config_invalid`
 */
export function reportPatternOf(text: string | undefined): (report: string) => TextGroups | null {
  if (text === undefined) return (report) => DEFAULT_PATTERN.exec(report)?.groups ?? null;
  const pattern = compiled(text);
  const named = REPORT_GROUPS.filter((name) => Object.hasOwn(pattern.namedGroups(), name));
  if (!named.includes("imei")) throw unusablePattern("applet.text_pattern has no group named imei.");
  return (report) => {
    const matcher = pattern.matcher(report);
    return matcher.find() ? Object.fromEntries(named.map((name) => [name, matcher.group(name)])) : null;
  };
}

/** Each character of a text costs as many steps: repetitions of repetitions are written out one by one. */
const PATTERN_STEPS_MAX = 2_000;

function compiled(text: string): RE2JS {
  const pattern = parsedPattern(text);
  if (pattern.programSize() > PATTERN_STEPS_MAX)
    throw unusablePattern(
      `applet.text_pattern takes ${pattern.programSize()} steps for each character of a text, and ${PATTERN_STEPS_MAX} are allowed.`,
    );
  return pattern;
}

function parsedPattern(text: string): RE2JS {
  try {
    return RE2JS.compile(text, RE2JS.CASE_INSENSITIVE);
  } catch (cause) {
    throw unusablePattern(
      `applet.text_pattern is no regular expression that runs in linear time: ${messageOf(cause)}.`,
      cause,
    );
  }
}

const unusablePattern = (fact: string, cause?: unknown): TurnupError =>
  new TurnupError("config_invalid", fact, {
    cause,
    nextStep:
      "Name the groups (?<imei>...), and where the text has them (?<imsi>...), (?<iccid>...), (?<home>...); without look-around and back-references.",
  });

/** The one that is named, or the one that was made first. */
function operatorOf({ database, clock }: AppletDeps, slug: string | undefined): () => Promise<string | null> {
  let sought: { readonly atMs: number; readonly id: string | null } | undefined;
  return async () => {
    const nowMs = clock().getTime();
    if (sought && (sought.id !== null || nowMs - sought.atMs < OPERATOR_SOUGHT_MS)) return sought.id;
    const rows = await database.rows<{ id: string }>(
      slug === undefined ? OPERATORS : OPERATOR,
      slug === undefined ? [] : [slug],
    );
    sought = { atMs: nowMs, id: rows[0]?.id ?? null };
    return sought.id;
  };
}

function numberOf({ source_addr, source_addr_ton }: DeliverSm): string | null {
  if (!FULL_NUMBERS.includes(source_addr_ton)) return null;
  try {
    return parseMsisdn(source_addr);
  } catch {
    return null; // a short number, or a name: nobody's phone
  }
}

async function sightingOf(
  { database, sealer, homePlmnOf }: AppletDeps,
  operatorId: string,
  { imei, imeisv, imsi, iccid, home }: AppletReport,
  msisdn: string | null,
): Promise<SightingInput | null> {
  const whose = imsi ?? (msisdn === null ? null : await imsiOf(msisdn));
  if (whose === null) return null;
  return {
    imei: imei ?? undefined,
    imeisv: imeisv ?? undefined,
    imsi: whose,
    iccid: iccid ?? undefined,
    msisdn: msisdn ?? undefined,
    appletHome: home ?? undefined,
    plmn: plmnOf(whose), // the report does not say where it is: at home, as far as anybody knows
  };

  async function imsiOf(number: string): Promise<string | null> {
    const row = await database.one<{ sealed: Buffer }>(IMSI_OF, [
      operatorId,
      sealer.blindIndex("msisdn", operatorId, number),
    ]);
    return row ? sealer.open("imsi", row.sealed) : null;
  }

  function plmnOf(text: string): string {
    try {
      return homePlmnOf(parseImsi(text), operatorId) ?? text.slice(0, 5);
    } catch {
      return text.slice(0, 5); // the intake refuses it with its reason
    }
  }
}
