/**
 * Names of people and places, as two clerks write the same one: case, accents, order, particles, scripts, initials, one letter
 * amiss. What is only part of a name, or only its initial, is close to it and not the same.
 */
import { type Agreement, agrees, bestOf, CLOSE_FROM, DIFFERENT } from "./field-comparison.ts";
import { type Folded, fold, likeness } from "./fold-text.ts";

/** Left out at will by their bearers and by forms; titles likewise. */
const PARTICLES = new Set(
  (
    "van von vom zu zum zur der den dem de del della di da do dos das du des la le les lo el al ul bin binti ibn bint ben bar " +
    "ter ten af av ap y e und and og i mac mr mrs ms miss mx dr prof dipl ing herr frau sr sra jr ii iii"
  ).split(" "),
);
/** Fewer letters and one that is amiss is another name: Lee and Lea. */
const SPELT_LETTERS_MIN = 5;
const SPELLING_FROM = 0.85;
/** Short vowels that Arabic and Hebrew do not write. */
const VOWELS = /[aeiou]/g;
const CONSONANTS_MIN = 3;

const SCORE = {
  accents: 100,
  writing: 100,
  particles: 95,
  order: 95,
  script: 95,
  unwritten: 75,
  part: 80,
  initials: 75,
} as const;

export function compareNames(given: string, onFile: string): Agreement {
  if (given.normalize("NFC").trim() === onFile.normalize("NFC").trim()) return agrees(100);
  const [one, other] = [fold(given), fold(onFile)];
  if (one.bare === "" || other.bare === "") return one.plain === other.plain ? agrees(100) : DIFFERENT;
  if (together(one.plain) === together(other.plain)) return agrees(SCORE.writing, "writing");
  const sameLetters = formsOf(one).some((form) => formsOf(other).includes(form));
  const isOneScript = one.isLatin === other.isLatin;
  if (sameLetters) return isOneScript ? agrees(SCORE.accents, "accents") : agrees(SCORE.script, "script");
  return bestOf(
    ...([
      byWords(one.bare, other.bare),
      byWords(one.spelt, other.bare),
      byWords(one.bare, other.spelt),
    ] as const),
    bySpelling(one, other),
    isOneScript ? DIFFERENT : byScript(one, other),
  );
}

const together = (text: string): string => text.replaceAll(" ", "");
const formsOf = ({ bare, spelt }: Folded): readonly string[] => [together(bare), together(spelt)];
const wordsOf = (text: string): readonly string[] => text.split(" ").filter((word) => word !== "");

/** A name that is nothing but particles keeps them. */
function withoutParticles(words: readonly string[]): readonly string[] {
  const kept = words.filter((word) => !PARTICLES.has(word));
  return kept.length > 0 ? kept : words;
}

function byWords(one: string, other: string): Agreement {
  const [ours, theirs] = [wordsOf(one), wordsOf(other)].map((words) => withoutParticles(words ?? []));
  if (!ours || !theirs) return DIFFERENT;
  if (ours.join("") === theirs.join("")) return agrees(SCORE.particles, "particles");
  if ([...ours].sort().join(" ") === [...theirs].sort().join(" ")) return agrees(SCORE.order, "order");
  const [fewer, more] = ours.length <= theirs.length ? [ours, theirs] : [theirs, ours];
  if (fewer.every((word) => word.length > 1 && more.includes(word))) return agrees(SCORE.part, "part_of_it");
  return haveInitials(fewer, more) ? agrees(SCORE.initials, "initials") : DIFFERENT;
}

/** Each word is one of the other's, or the first letter of one on either side; each is used once. */
function haveInitials(fewer: readonly string[], more: readonly string[]): boolean {
  const left = [...more];
  for (const word of fewer) {
    const exact = left.indexOf(word);
    const at =
      exact >= 0
        ? exact
        : left.findIndex(
            (one) => one[0] === word[0] && (one.length === 1 || word.length === 1) && one !== word,
          );
    if (at < 0) return false;
    left.splice(at, 1);
  }
  return true;
}

function bySpelling(one: Folded, other: Folded): Agreement {
  const [ours, theirs] = [together(one.bare), together(other.bare)];
  if (Math.min(ours.length, theirs.length) < SPELT_LETTERS_MIN) return DIFFERENT;
  const alike = likeness(ours, theirs);
  return alike >= SPELLING_FROM ? agrees(Math.round(alike * 88), "spelling") : DIFFERENT;
}

/** One is written in another script: its sounds agree, or the consonants of a script that writes no vowels. */
function byScript(one: Folded, other: Folded): Agreement {
  const [ours, theirs] = [together(one.sound), together(other.sound)];
  if (ours === theirs) return agrees(SCORE.script, "script");
  const [firm, alsoFirm] = [ours.replace(VOWELS, ""), theirs.replace(VOWELS, "")];
  if (firm === alsoFirm && firm.length >= CONSONANTS_MIN) return agrees(SCORE.unwritten, "script");
  const alike = likeness(ours, theirs);
  return alike >= SPELLING_FROM
    ? agrees(Math.max(CLOSE_FROM, Math.round(alike * 88)), "script", "spelling")
    : DIFFERENT;
}
