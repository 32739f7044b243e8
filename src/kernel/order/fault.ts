/** What went wrong, as it may stand in a reason and in the history of an order. */
import { messageOf } from "../../term/narrow.ts";

const MAX_FAULT_CHARACTERS = 200;

/** Never digits long enough to be somebody's number. */
export function faultOf(error: unknown): string {
  return messageOf(error)
    .replace(/\d{6,}/g, "…")
    .slice(0, MAX_FAULT_CHARACTERS);
}
