/**
 * Who acts, where two people have to (the four-eyes principle): a token is of a person, and one person may have several. Who makes
 * tokens for others vouches for them, and could bear them: a token that one person made, in any number of steps, is no second person to
 * that one, nor are two that one made to each other. The command line, behind which the database lies open, vouches for nobody.
 */
import { TurnupError } from "../../term/error.ts";
import { foldCase } from "../../term/fold-case.ts";
import type { Caller } from "./role.ts";

/** Whoever acts, by a token or at the command line. */
export type Acting = {
  /** What the audit names. */
  readonly label: string;
  /** Null where nobody said whose token it is. */
  readonly person: string | null;
  /** Those who made the token, and the tokens that it was made by. */
  readonly vouchedBy: readonly string[];
};

export const actingOf = ({ label, person, vouchedBy }: Caller): Acting => ({
  label,
  person: person ?? null,
  vouchedBy: vouchedBy ?? [],
});

/** Who vouches for a token that this one makes. A token without a person counts as its label. */
export const vouchersOf = ({ label, person, vouchedBy }: Acting): readonly string[] => [
  ...vouchedBy,
  person ?? label,
];

/** @throws TurnupError `person_unknown`: where two people are needed, it has to be known who each is */
export function knownPerson({ label, person }: Acting): string {
  if (person !== null) return person;
  throw new TurnupError("person_unknown", `It is not known which person ${label} is.`, {
    nextStep:
      "Use a token that names its person: `turnup token add --person`, or `person` of POST /v1/tokens; at the command line, give --person.",
  });
}

/** Names of persons compare without case and without what stands around them. */
const nameOf = (person: string): string => foldCase(person.trim());

/**
 * That the second is another person than the first.
 * @throws TurnupError `second_person_needed`, `person_unknown`
 */
export function checkSecondPerson(
  first: { readonly person: string; readonly vouchedBy: readonly string[] },
  second: Acting,
): void {
  const one = nameOf(first.person);
  const other = nameOf(knownPerson(second));
  if (one === other) throw secondNeeded("Whoever asked for it cannot approve it.");
  if (second.vouchedBy.map(nameOf).includes(one))
    throw secondNeeded(`The token of ${second.person} comes from ${first.person}, who asked for it.`);
  if (first.vouchedBy.map(nameOf).includes(other))
    throw secondNeeded(`It was asked for with a token that comes from ${second.person}.`);
  const behindFirst = first.vouchedBy.map(nameOf);
  const third = second.vouchedBy.find((voucher) => behindFirst.includes(nameOf(voucher)));
  if (third !== undefined)
    throw secondNeeded(
      `The tokens of ${first.person} and ${second.person} both come from ${third}, who could bear both.`,
    );
}

const secondNeeded = (fact: string): TurnupError =>
  new TurnupError("second_person_needed", fact, {
    nextStep:
      "Let somebody else of the operator's administrators approve it, under a token that neither made for the other, nor a third for both: `turnup token add --person` makes such.",
  });
