/** How many may hold a request open and wait for events: each costs a socket and a place in every look for news. */
import type { Caller } from "../../../kernel/account/role.ts";
import { tooMany } from "../../auth.ts";

/** Of one token, and of one server. */
const OF_TOKEN_MAX = 20;
const OF_SERVER_MAX = 500;
const RETRY_SECONDS = 10;

const open = new Map<string, number>();
let all = 0;

/** Answers what gives the place back. @throws TurnupError `too_many_requests` */
export function takeReader({ tokenId }: Caller): () => void {
  const held = open.get(tokenId) ?? 0;
  if (held >= OF_TOKEN_MAX)
    throw tooMany(RETRY_SECONDS, `This token waits for events ${held} times already.`);
  if (all >= OF_SERVER_MAX) throw tooMany(RETRY_SECONDS, "As many wait for events here as may.");
  open.set(tokenId, held + 1);
  all++;
  let isHeld = true;
  return () => {
    if (!isHeld) return;
    isHeld = false;
    all--;
    const left = (open.get(tokenId) ?? 1) - 1;
    if (left > 0) open.set(tokenId, left);
    else open.delete(tokenId);
  };
}
