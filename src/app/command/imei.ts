/** `turnup imei`: what a device's number says, by itself and with the shipped data. Needs no server and no database. */

import { type Device, DeviceCatalog } from "../../kernel/devices/catalog.ts";
import {
  DEFAULT_SUPPORT_POLICY,
  decideSupport,
  type SupportPolicy,
  type SupportReason,
  type SupportVerdict,
} from "../../kernel/support/decide-support.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { isCalendarDay } from "../../term/calendar.ts";
import { classifyIdentity, type Identity, type IdentityError } from "../../term/imei.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";

export type ImeiAnswer = {
  readonly input: string;
  readonly kind: Identity["kind"];
  readonly valid: boolean;
  readonly error?: IdentityError;
  readonly imei: string | null;
  readonly tac: string | null;
  readonly make: string | null;
  readonly model: string | null;
  readonly source: string | null;
  readonly datasetVersion: string | null;
  readonly releasedYear: number | null;
  readonly ageWindow: { readonly from: number; readonly to: number } | null;
  readonly modelCodes: readonly string[];
  readonly form: string | null;
  readonly screen: Device["screen"];
  readonly networks: readonly string[];
  readonly capability: Device["capability"] | null;
  readonly conflicts: Device["conflicts"];
  readonly verdict: SupportVerdict;
  readonly supportEnds: string | null;
  readonly reasons: readonly (SupportReason | IdentityReason)[];
};
type IdentityReason = Omit<SupportReason, "rule"> & { readonly rule: "identity" };

export const imeiCommand: Command = {
  name: "imei",
  summary: "Check IMEIs, name the model, judge whether its maker has left it behind",
  description: [
    "Takes IMEI (15 digits), 14 digits, IMEISV (16) and MEID, with or without separators. Blank lines of a file are",
    "skipped; a bad number gets an answer that says why, and the rest goes on. The exit code is 0 when every input was",
    "answered, whatever the answers; 1 when a file cannot be read.",
    "",
    "The verdict is of the maker's own support on the day asked for, without an operator's list, deals and overrides:",
    "those are the server's. --cut-off adds the operator's age rule.",
  ].join("\n"),
  args: [{ usage: "[imei...]", about: "device numbers" }],
  options: [
    { flags: "--file <path>", about: "one number a line; - reads standard input" },
    { flags: "--as-of <date>", about: "judge as of this day, YYYY-MM-DD (default: today)" },
    { flags: "--cut-off <years>", about: "count a model as left behind when released longer ago than this" },
  ],
  examples: [
    "turnup imei 490154203237518",
    "turnup imei --file seen.txt --json",
    "cut -d, -f2 register.csv | turnup imei --file - --json --as-of 2025-01-01",
  ],
  async run(context) {
    const { args, option, lines, json } = context;
    const file = option("file");
    if (args.length === 0 && file === undefined) return "usage";
    const ask = asker(policyOf(context), dayOf(context));
    const say = json ? context.printJson : (answer: ImeiAnswer) => context.print(cardOf(answer));
    for (const input of args) {
      const full = say(ask(input));
      if (full) await full;
    }
    if (file !== undefined) {
      for await (const line of lines(file)) {
        const input = line.trim();
        const full = input === "" ? undefined : say(ask(input));
        if (full) await full; // only when the reader is behind
      }
    }
    return "ok";
  },
};

/** Reads the data once and answers from then on. */
function asker(policy: SupportPolicy, asOf: string): (input: string) => ImeiAnswer {
  const catalog = new DeviceCatalog(readShippedDatasets());
  const knowledge = new SupportKnowledge(catalog.data);
  return (input) => {
    const identity = classifyIdentity(input);
    if (!identity.valid) return unnamed(input, identity, identity.error);
    if (!("tac" in identity)) return unnamed(input, identity);
    const device = catalog.deviceOf(identity.tac);
    const decision = decideSupport({ device, policy, relation: null, override: null, asOf }, knowledge);
    return {
      input,
      kind: identity.kind,
      valid: true,
      imei: identity.imei,
      tac: identity.tac,
      make: device.make,
      model: device.model,
      source: device.source,
      datasetVersion: device.datasetVersion,
      releasedYear: device.releasedYear,
      ageWindow: device.ageWindow,
      modelCodes: device.modelCodes,
      form: device.form,
      screen: device.screen,
      networks: device.networks,
      capability: device.capability,
      conflicts: device.conflicts,
      ...decision,
    };
  };
}

/** The answer for what is refused, and for a MEID, which is a device's number but has no TAC to look up. */
function unnamed(input: string, identity: Identity, error?: IdentityError): ImeiAnswer {
  const saw = {
    kind: identity.kind,
    valid: identity.valid,
    ...(error ? { code: error.code } : { hasTac: false }),
  };
  return {
    input,
    kind: identity.kind,
    valid: identity.valid,
    ...(error ? { error } : {}),
    imei: null,
    tac: null,
    make: null,
    model: null,
    source: null,
    datasetVersion: null,
    releasedYear: null,
    ageWindow: null,
    modelCodes: [],
    form: null,
    screen: null,
    networks: [],
    capability: null,
    conflicts: [],
    verdict: "unknown",
    supportEnds: null,
    reasons: [{ rule: "identity", outcome: "unknown", saw, decided: true }],
  };
}

function policyOf({ option }: CommandContext): SupportPolicy {
  const text = option("cut-off");
  if (text === undefined) return DEFAULT_SUPPORT_POLICY;
  const years = Number(text);
  if (!(years > 0 && years <= 50))
    throw new UsageError("--cut-off is a number of years, more than 0 and at most 50.");
  return { ...DEFAULT_SUPPORT_POLICY, ageCutOffYears: years };
}

function dayOf({ option, now }: CommandContext): string {
  const text = option("as-of") ?? now().toISOString().slice(0, 10);
  if (!isCalendarDay(text)) {
    throw new UsageError("--as-of is a day of the calendar, written YYYY-MM-DD.");
  }
  return text;
}

const VERDICTS: Readonly<Record<SupportVerdict, string>> = {
  ended: "ended: its maker has left it behind",
  supported: "supported by its maker",
  unknown: "unknown: the data does not say",
};

/** The answer for a person: what it is, then the verdict, then each rule with what it saw; `*` marks what decided. */
function cardOf(answer: ImeiAnswer): string {
  if (!answer.valid) return `${answer.input}  not valid (${answer.error?.code}): ${answer.error?.message}\n`;
  const { ageWindow, screen, capability } = answer;
  const facts: [string, string | number | null][] = [
    ["number", `${answer.kind}${answer.imei ? ` ${answer.imei}, TAC ${answer.tac}` : ", which has no TAC"}`],
    ["device", answer.make ? `${answer.make} ${answer.model ?? "(model not named)"}` : "in no list"],
    ["codes", answer.modelCodes.slice(0, 8).join(" ")],
    ["released", answer.releasedYear],
    ["number given out", ageWindow ? `for models of ${ageWindow.from} to ${ageWindow.to}` : null],
    ["form", answer.form],
    ["screen", screen ? `${screen.widthPx} x ${screen.heightPx}, ${screen.inch} inch` : null],
    ["networks", answer.networks.join(", ")],
    ["settings", capability ? settingsOf(capability) : null],
    ["source", answer.source ? `${answer.source} ${answer.datasetVersion}` : null],
    [
      "other lists say",
      answer.conflicts.map(({ source, make, model }) => `${make} ${model} (${source})`).join("; "),
    ],
    ["verdict", VERDICTS[answer.verdict]],
    ["support ends", answer.supportEnds],
  ];
  const shown = facts.filter(([, value]) => value !== null && value !== "");
  return [
    answer.input,
    ...shown.map(([name, value]) => `  ${name.padEnd(18)}${value}`),
    ...answer.reasons.map(reasonLine),
    "",
  ].join("\n");
}

const settingsOf = ({ omaCp, nokiaOta, appleProfile, deviceKey }: Device["capability"]): string =>
  `OMA CP ${omaCp}, Nokia/Ericsson OTA ${nokiaOta}, Apple profile ${appleProfile}, device key ${deviceKey}`;

function reasonLine({ rule, outcome, saw, decided }: SupportReason | IdentityReason): string {
  const facts = Object.entries(saw).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  return `  ${decided ? "*" : " "} ${rule.padEnd(18)}${outcome.padEnd(10)} ${facts.join(", ")}`;
}
