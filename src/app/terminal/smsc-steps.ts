/** The steps of a message centre's trial as facts for a program and as lines for a person; the number is never among them. */

import { receiptAsWritten } from "../../net/smsc/receipt-findings.ts";
import { isMarkedReceipt, type ReceiptPdu } from "../../wire/smpp/receipt.ts";
import { octetsOf } from "../../wire/smpp/user-data.ts";
import type { TrialPart, TrialStep } from "../server/smsc-trial.ts";

type Receipt = {
  readonly step: "receipt";
  readonly part: TrialPart;
  /** From the centre's answer to the submit. */
  readonly receiptAfterMs: number;
  readonly id: string;
  readonly state: string;
  readonly word: string | undefined;
  readonly errorCode: string | undefined;
  readonly doneAt: string | undefined;
  readonly isMarked: boolean;
  readonly esmClass: number;
  readonly dataCoding: number;
  readonly parameters: readonly string[];
  readonly text: string;
  readonly hex?: string;
};
export type StepFacts = Exclude<TrialStep, { readonly step: "receipt" }> | Receipt;

const SHOWN_OCTETS_MAX = 255;

/** @param shown `to`: hidden wherever a receipt repeats it */
export function stepFacts(
  step: TrialStep,
  shown: { readonly to: string; readonly verbose: boolean },
): StepFacts {
  if (step.step !== "receipt") return step;
  const { pdu, part, afterMs } = step;
  const read = receiptAsWritten(pdu);
  const octets = octetsOf(pdu).subarray(0, SHOWN_OCTETS_MAX);
  return {
    step: "receipt",
    part,
    receiptAfterMs: afterMs,
    id: read?.messageId ?? "",
    state: read?.state ?? "unknown",
    word: read?.word,
    errorCode: read?.errorCode,
    doneAt: read?.doneDate?.toISOString(),
    isMarked: isMarkedReceipt(pdu),
    esmClass: pdu.esm_class,
    dataCoding: pdu.data_coding,
    parameters: parametersOf(pdu),
    text: hidden(Buffer.from(octets).toString("latin1"), shown.to),
    ...(shown.verbose && { hex: Buffer.from(octets).toString("hex") }),
  };
}

const hidden = (text: string, to: string): string =>
  text.replaceAll(to, "*".repeat(to.length)).replace(/[^\x20-\x7e]/g, ".");

const parametersOf = ({ tlvs }: ReceiptPdu): string[] =>
  tlvs.map(({ name, value }) =>
    name === "receipted_message_id" || name === "message_state" ? `${name} ${String(value)}` : String(name),
  );

const hexOctet = (value: number): string => `0x${value.toString(16).padStart(2, "0")}`;

export function describedStep(facts: StepFacts): string {
  switch (facts.step) {
    case "connected":
      return `connected, ${facts.tls ? "with" : "without"} TLS (${facts.bind})`;
    case "bound": {
      const { bind, systemId, interfaceVersion } = facts;
      const version =
        interfaceVersion === undefined
          ? "no sc_interface_version"
          : `sc_interface_version ${hexOctet(interfaceVersion)}`;
      return `bound as ${bind}: system_id ${JSON.stringify(systemId)}, ${version}`;
    }
    case "refused":
      return `the bind as ${facts.bind} was refused: ${facts.status}`;
    case "lost":
      return `${facts.wasConnected ? "the connection ended" : "no connection"} (${facts.bind}): ${facts.reason}`;
    case "submitted":
      return `${partWords(facts.part)}: ${outcomeWords(facts.outcome)}`;
    case "receipt":
      return receiptWords(facts);
    case "unmatched":
      return `a receipt of this number names ${JSON.stringify(facts.id)}, which is no id that the centre gave here; it is left to the centre`;
  }
}

const partWords = ({ text, number, of }: TrialPart): string =>
  of === 1 ? `${text} text` : `${text} text, part ${number} of ${of}`;

function outcomeWords(outcome: Extract<TrialStep, { readonly step: "submitted" }>["outcome"]): string {
  switch (outcome.kind) {
    case "accepted":
      return `taken, id ${JSON.stringify(outcome.smscMessageId)}`;
    case "refused":
      return outcome.by === "us" ? `not sent: ${outcome.code}` : `refused: ${outcome.code}`;
    case "later":
      return outcome.isPerhapsTaken
        ? `no answer (${outcome.code}): perhaps taken`
        : `not taken now: ${outcome.code}`;
  }
}

function receiptWords(facts: Receipt): string {
  const read = [
    `id ${JSON.stringify(facts.id)}`,
    facts.state + (facts.word === undefined ? "" : ` (${facts.word})`),
    ...(facts.errorCode === undefined ? [] : [`error ${facts.errorCode}`]),
    ...(facts.doneAt === undefined ? [] : [`done ${facts.doneAt}`]),
    facts.isMarked ? "marked" : "not marked",
  ].join(", ");
  const raw = [
    `esm_class ${hexOctet(facts.esmClass)}`,
    `data_coding ${facts.dataCoding}`,
    ...facts.parameters,
  ].join(", ");
  const hex = facts.hex === undefined ? "" : `\n            ${facts.hex}`;
  return `receipt of ${partWords(facts.part)} after ${(facts.receiptAfterMs / 1_000).toFixed(2)} s: ${read}\n            ${raw}: ${JSON.stringify(facts.text)}${hex}`;
}
