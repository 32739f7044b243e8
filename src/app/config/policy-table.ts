/** docs/policy.md: the table of all keys of a policy, written from their schema. */
import { type PolicyKey, policyKeys } from "../../http/v1/policy/policy-keys.ts";

const BEGIN = "<!-- policy: written by `turnup policy keys --update`, not by hand -->";
const END = "<!-- end of policy -->";
/** A longer value stands in the shipped policy: `turnup policy show --version 0`. */
const SHIPPED_CHARACTERS_MAX = 60;

export function policyTable(keys: readonly PolicyKey[] = policyKeys()): string {
  const rows = keys.map(({ key, allowed, unit, shipped, effect }) => {
    const cells = [`\`${key}\``, effect, allowed, unit ?? "–", shippedOf(shipped)];
    return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  });
  return ["| key | effect | allowed | unit | default |", "| --- | --- | --- | --- | --- |", ...rows].join(
    "\n",
  );
}

/** The document with today's table between its marks. */
export function withPolicyTable(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`the marks are missing: ${BEGIN} and ${END}`);
  return `${document.slice(0, from + BEGIN.length)}\n\n${policyTable()}\n\n${document.slice(to)}`;
}

function shippedOf(value: unknown): string {
  if (value === undefined) return "none";
  const text = JSON.stringify(value);
  if (text === "{}" || text === "[]") return "empty";
  return text.length <= SHIPPED_CHARACTERS_MAX ? `\`${text}\`` : "see `turnup policy show --version 0`";
}
