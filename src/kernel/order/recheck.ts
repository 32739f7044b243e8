/** When an order that waits for what is missing (data, a key, a fee, settings) is looked at again, in minutes. */

export const RECHECK_MINUTES = 60;
/** What is missing may have come while it was being looked for. */
export const FIRST_RECHECK_MINUTES = 1;
