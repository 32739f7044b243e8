/** Fetches a module of the catalog from the server that keeps it (US 6,647,260, R40). */
import { MAX_MODULE_OCTETS } from "../../wire/message/module.ts";

const MODULE_TIMEOUT_MS = 10_000;

/** Octets of a module from the server that keeps them; the catalog names their hash, so no more is asked of it. */
export async function fetchModule(url: string): Promise<Uint8Array> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(MODULE_TIMEOUT_MS), redirect: "error" });
  if (!answer.ok || !answer.body) {
    const isNotYou = answer.status === 401 || answer.status === 403;
    throw new Error(`the server answered ${answer.status}`, isNotYou ? { cause: "unauthorised" } : {});
  }
  const parts: Uint8Array[] = [];
  let octets = 0;
  for await (const part of answer.body) {
    octets += part.length;
    if (octets > MAX_MODULE_OCTETS) throw new Error(`more than ${MAX_MODULE_OCTETS} octets`);
    parts.push(part);
  }
  return Uint8Array.from(Buffer.concat(parts));
}
