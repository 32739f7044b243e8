/** What went wrong, as it may stand in a reason and in the history of an order. */
const MAX_FAULT_CHARACTERS = 200;

/** Never digits long enough to be somebody's number. */
export function faultOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\d{6,}/g, "…").slice(0, MAX_FAULT_CHARACTERS);
}
