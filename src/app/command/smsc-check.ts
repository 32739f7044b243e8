/** `turnup smsc check`: a real text by the message centre of the configuration, what came back, and the settings that fit it. */
import {
  isFinalReceipt,
  proposedSettings,
  type ReceiptFindings,
  type ReceiptSettings,
  receiptAsWritten,
  receiptFindings,
  type TrialReceipt,
} from "../../net/smsc/receipt-findings.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { parseMsisdn } from "../../term/msisdn.ts";
import { encodeText } from "../../wire/sms/text.ts";
import { readConfig } from "../config/config.ts";
import type { SmscOptions } from "../server/message-centres.ts";
import { smscNamed, smscOptions, smscSection } from "../server/smsc-options.ts";
import { type TrialResult, type TrialStep, type TrialText, trySmsc } from "../server/smsc-trial.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { describedStep, type StepFacts, stepFacts } from "../terminal/smsc-steps.ts";

const WAIT_SECONDS = 60;
const WAIT_SECONDS_MAX = 3_600;
const TEXT = "Turnup tries this message centre.";
const FILLING = " This part of the text is long enough for two messages.";

export const smscCheckCommand: Command = {
  name: "smsc check",
  summary: "Send a real text by the configured message centre and show what came back",
  description: [
    "Binds as a server would, sends a text with a receipt asked for (and with --long another of two parts), and shows each",
    "step as it happens: the bind, the ids as the centre wrote them, the receipts as they came and as they are read. Then it",
    "says which settings smsc.receipt_ids, receipts_marked and receipts_per fit. The texts are real and cost what the centre",
    "charges. A centre may hand a running server's receipts to this bind, and ours to the server: those of others are not",
    "acknowledged here, so that the centre keeps them; where ours do not come, stop the server and try again.",
    "Exit code 0: all were delivered and no setting needs a change; 1: something did not come, or a setting needs one.",
  ].join("\n"),
  options: [
    { flags: "--to <msisdn>", about: "the phone that gets the text, +E.164; have it at hand", needed: true },
    {
      flags: "--from <sender>",
      about: "as in the operator's policy: digits, or up to 11 letters",
      needed: true,
    },
    { flags: "--text <text>", about: `what is sent, one message (default "${TEXT}")` },
    { flags: "--long", about: "send another text of two parts: shows smsc.receipts_per" },
    { flags: "--name <centre>", about: "which of several [[smsc]] entries" },
    { flags: "--wait <seconds>", about: `how long to wait for receipts (default ${WAIT_SECONDS})` },
    { flags: "--verbose", about: "receipts in hexadecimal too" },
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
  ],
  examples: [
    "turnup smsc check --to +491511234567 --from Meridian",
    "turnup smsc check --to +491511234567 --from 2948 --name north --long --wait 300 --json",
  ],
  async run(context) {
    const text = textOf(context);
    const waitMs = waitOf(context) * 1_000;
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const settings = smscNamed(config, context.option("name"));
    const options = smscOptions(settings);
    const shown = maskIdentifier(text.to, "msisdn");
    if (!context.json)
      context.note(
        `sends ${text.longText === undefined ? "a real text" : "two real texts, three messages,"} to ${shown} by ${options.name}: it costs what the centre charges`,
      );
    const startedAt = context.now().getTime();
    const tell = (step: TrialStep): void => {
      const facts = stepFacts(step, { to: text.to, verbose: context.flag("verbose") });
      const afterMs = context.now().getTime() - startedAt;
      tellStep(context, facts, afterMs);
    };
    const result = await trySmsc(options, text, { waitMs, clock: context.now, tell });
    const verdict = verdictOf(result, { options, section: smscSection(settings), waitMs });
    await tellVerdict(context, verdict);
    return verdict.ok ? "ok" : "failed";
  },
};

function textOf(context: CommandContext): TrialText {
  const to = parseMsisdn(context.option("to") ?? "");
  const from = context.option("from") ?? "";
  if (!/^(?:\d{1,15}|(?=.*[A-Za-z])[A-Za-z0-9 ._-]{1,11})$/.test(from))
    throw new UsageError("--from takes up to 15 digits, or up to 11 letters and digits.");
  const text = context.option("text") ?? TEXT;
  if (text === "" || partsOf(text) > 1) throw new UsageError("--text takes what fits one message.");
  const longText = context.flag("long") ? longOf(text) : undefined;
  return { to: to.replace(/^\+/, ""), from, text, ...(longText !== undefined && { longText }) };
}

const partsOf = (text: string): number => encodeText(text, { reference: 0 }).parts.length;

function longOf(text: string): string {
  let long = text;
  while (partsOf(long) < 2) long += FILLING;
  return long;
}

function waitOf(context: CommandContext): number {
  const given = context.option("wait") ?? String(WAIT_SECONDS);
  const seconds = Number(given);
  if (!/^\d{1,4}$/.test(given) || seconds < 1 || seconds > WAIT_SECONDS_MAX)
    throw new UsageError(`--wait takes 1 to ${WAIT_SECONDS_MAX} seconds.`);
  return seconds;
}

function tellStep(context: CommandContext, facts: StepFacts, afterMs: number): void {
  const at = context.now().toISOString();
  if (context.json) void context.printJson({ ...facts, at, afterMs });
  else void context.print(`${(afterMs / 1_000).toFixed(2).padStart(8)} s  ${describedStep(facts)}`);
}

type Verdict = {
  readonly ok: boolean;
  readonly found: ReceiptFindings;
  /** Lines of the configuration file. */
  readonly proposals: readonly { readonly name: string; readonly from: string; readonly to: string }[];
  readonly section: string;
  /** What did not come or was refused. */
  readonly missing: readonly string[];
  readonly notes: readonly string[];
  readonly nextStep: string | undefined;
};

type Trial = { readonly options: SmscOptions; readonly section: string; readonly waitMs: number };

function verdictOf(result: TrialResult, { options, section, waitMs }: Trial): Verdict {
  const found = receiptFindings(result.taken, result.receipts);
  const proposed = proposedSettings(found, options);
  const proposals = SETTING_NAMES.flatMap(([key, name]) => {
    const to = proposed[key];
    return to === undefined ? [] : [{ name, from: String(options[key]), to: String(to) }];
  });
  const missing = missingOf(result, found, waitMs);
  return {
    ok: missing.length === 0 && proposals.length === 0,
    found,
    proposals,
    section,
    missing: missing.map(({ fact }) => fact),
    notes: notesOf(result, found, waitMs),
    nextStep: missing[0]?.nextStep(section),
  };
}

const SETTING_NAMES: readonly (readonly [keyof ReceiptSettings, string])[] = [
  ["receiptIds", "receipt_ids"],
  ["receiptsMarked", "receipts_marked"],
  ["receiptsPer", "receipts_per"],
];

type Missing = { readonly fact: string; readonly nextStep: (section: string) => string };

function missingOf(result: TrialResult, found: ReceiptFindings, waitMs: number): Missing[] {
  if (result.failed) return [bindFailure(result.failed)];
  const missing: Missing[] = result.submitted
    .filter(({ outcome }) => outcome.kind !== "accepted")
    .map(({ outcome }) => ({
      fact: `The centre took not all: ${"code" in outcome ? outcome.code : ""}.`,
      nextStep: () =>
        "Ask the centre what this code means for this sender and number; docs/operations.md names the usual ones.",
    }));
  if (result.taken.some(({ id }) => id === ""))
    missing.push({
      fact: "The centre gave no id: no receipt can be matched.",
      nextStep: () => "Ask the centre for ids in submit_sm_resp.",
    });
  else if (result.taken.length > 0 && result.receipts.length === 0)
    missing.push({ fact: `No receipt came within ${waitMs / 1_000} s.`, nextStep: noReceipt });
  else if (found.receiptIds.length === 0 && result.receipts.length > 0)
    missing.push({
      fact: "No one value of receipt_ids fits all receipts.",
      nextStep: () => "Set receipt_ids to either, and ask the centre how it writes ids.",
    });
  missing.push(...undelivered(result, found, waitMs));
  return missing;
}

const noReceipt = (section: string): string =>
  `Ask whether receipts are on for this ${section}.system_id; a running server with the same name may have got them, and its log tells. Is the phone on? --wait waits longer.`;

/** Parts without a last word, and those whose last word is another than `delivered`. */
function undelivered(result: TrialResult, found: ReceiptFindings, waitMs: number): Missing[] {
  if (result.receipts.length === 0) return [];
  const last = result.receipts.filter(isFinalReceipt);
  const stateOf = ({ pdu }: TrialReceipt): string => receiptAsWritten(pdu)?.state ?? "unknown";
  const failed = last.filter(
    (one) => !last.some((other) => other.of === one.of && stateOf(other) === "delivered"),
  );
  const isOneForAll = found.receiptsPer === "message";
  const silent = result.taken.filter(
    (part) => !last.some(({ of }) => of === part) && !(part.isOfLong && isOneForAll),
  );
  return [
    ...(failed.length === 0
      ? []
      : [
          {
            fact: `Not delivered: ${[...new Set(failed.map(stateOf))].join(", ")}.`,
            nextStep: () =>
              "Check that the phone is on and the number right; else ask the centre what its error code means.",
          },
        ]),
    ...(silent.length === 0
      ? []
      : [
          {
            fact: `${silent.length} of ${result.taken.length} messages have no last receipt after ${waitMs / 1_000} s.`,
            nextStep: noReceipt,
          },
        ]),
  ];
}

function bindFailure(failed: NonNullable<TrialResult["failed"]>): Missing {
  if (failed.step === "refused") {
    const isSecond = failed.status === "ESME_RALYBND";
    return {
      fact: `The centre refused the bind: ${failed.status}.`,
      nextStep: (section) =>
        isSecond
          ? "The centre allows no more binds of this name: ask for another one, or stop the server for the trial."
          : `Check ${section}.system_id, its password and ${section}.system_type with whoever runs the centre.`,
    };
  }
  return failed.wasConnected
    ? {
        fact: `Connected, but the bind was not answered: ${failed.reason}.`,
        nextStep: (section) => `Check that ${section}.port is the centre's SMPP port, and ${section}.tls.`,
      }
    : {
        fact: `No connection: ${failed.reason}.`,
        nextStep: (section) =>
          `Check ${section}.host, ${section}.port and ${section}.tls, and whether the centre lets this address in.`,
      };
}

function notesOf(result: TrialResult, found: ReceiptFindings, waitMs: number): string[] {
  const notes: string[] = [];
  if (found.receiptIds.length > 1 && found.receiptIds.some((ids) => ids.includes("-to-")))
    notes.push(`The ids of this trial fit ${found.receiptIds.join(", ")}: another trial may tell more.`);
  if (found.receiptsPer === "message")
    notes.push(
      `Not every part of the long text has a receipt after ${waitMs / 1_000} s: either the centre writes one a message, or one is late. Another trial tells.`,
    );
  if (found.receiptsPer === undefined && result.receipts.length > 0)
    notes.push("receipts_per was not tried: --long shows it.");
  if (result.othersLeft > 0)
    notes.push(
      `${result.othersLeft} deliveries that are not of this trial came to this bind; they were not acknowledged, so that the centre keeps them.`,
    );
  return notes;
}

async function tellVerdict(context: CommandContext, verdict: Verdict): Promise<void> {
  const { ok, found, proposals, section, missing, notes, nextStep } = verdict;
  if (context.json) {
    await context.printJson({
      step: "result",
      ok,
      found,
      proposals,
      missing,
      notes,
      nextStep: nextStep ?? null,
    });
    return;
  }
  const wasRead = found.receiptIds.length > 0;
  if (wasRead) {
    await context.print(
      `ids: ${found.receiptIds.join(", ")}; receipts ${found.receiptsMarked ? "marked" : "not marked"}`,
    );
    if (found.receiptsPer) await context.print(`one receipt a ${found.receiptsPer}`);
  }
  for (const note of notes) await context.print(note);
  for (const { name, from, to } of proposals)
    await context.print(
      `set ${section}.${name} = ${/^(true|false)$/.test(to) ? to : JSON.stringify(to)}  # now ${from}`,
    );
  if (wasRead && proposals.length === 0) await context.print("nothing to change");
  for (const fact of missing) context.note(fact);
  if (nextStep !== undefined) context.note(`Next: ${nextStep}`);
}
