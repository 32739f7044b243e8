/**
 * A fact as an error's message says it: with a capital, and a full stop where it has no end of its own. For facts in other
 * people's words (an operating system's, a parser's, a codec's); what we word ourselves is a sentence as it stands. The name
 * of a field or a setting in front keeps its spelling.
 */
export const sentenceOf = (fact: string): string =>
  `${fact.replace(/^[a-z]+(?=[\s,;]|$)/, capitalised)}${/[.?!]$/.test(fact) ? "" : "."}`;

const capitalised = (word: string): string => word.slice(0, 1).toUpperCase() + word.slice(1);
