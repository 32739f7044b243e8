/** What the explorer found, for people at a terminal: each layer with its fields, then what is wrong. */
import type { Exploration } from "../../wire/explore/explore.ts";
import type { ExploredField, Finding } from "../../wire/explore/field.ts";
import type { CommandContext } from "./command.ts";

/** Octets of a field that stand on its line; all that were kept are in the JSON. */
const OCTETS_ON_LINE = 12;

export async function printExploration(
  { form, messages, findings }: Exploration,
  { print }: Pick<CommandContext, "print">,
): Promise<void> {
  await print(`read as ${form}: ${messages.length === 1 ? "one message" : `${messages.length} messages`}`);
  for (const [index, message] of messages.entries()) {
    const from = [
      message.stream,
      message.source && `from ${message.source}`,
      message.destination && `to ${message.destination}`,
    ];
    const where = from.filter((part) => part !== null && part !== "").join(" ");
    const packets = message.packets.length > 0 ? ` in packets ${message.packets.join(", ")}` : "";
    await print("");
    await print(`message ${index + 1}${where === "" ? "" : ` ${where}`}${packets}`);
    for (const { layer, title, length, fields } of message.layers) {
      await print(`  ${layer}: ${title} (${length} octets)`);
      for (const field of fields) await print(`    ${lineOf(field)}`);
    }
    if (message.signature) await print(`  signature: ${signatureOf(message.signature)}`);
    if (message.xml !== null) await print(`  xml: ${message.xml}`);
    for (const finding of message.findings) await print(`  ${findingOf(finding)}`);
  }
  for (const finding of findings) await print(findingOf(finding));
}

function lineOf({ name, offset, octets, value, meaning, clause }: ExploredField): string {
  const shown = octets.length > 2 * OCTETS_ON_LINE ? `${octets.slice(0, 2 * OCTETS_ON_LINE)}…` : octets;
  const said = [value, meaning === null ? "" : `(${meaning})`].filter((part) => part !== "").join(" ");
  return `${String(offset).padStart(5)}  ${shown.padEnd(2 * OCTETS_ON_LINE + 1)}  ${name} = ${said}  [${clause}]`;
}

const signatureOf = ({
  sec,
  mac,
  isRight,
}: NonNullable<Exploration["messages"][number]["signature"]>): string =>
  `${sec.toUpperCase()} ${mac ?? "without a MAC"}: ${isRight === null ? "not checked, no secret was given" : isRight ? "verified" : "does NOT verify"}`;

const findingOf = ({ code, layer, offset, fact, clause }: Finding): string =>
  `! ${code} in ${layer}${offset === null ? "" : ` at octet ${offset}`}: ${fact}${clause === null ? "" : `  [${clause}]`}`;
