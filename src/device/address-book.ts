/**
 * The address book that the client keeps (US 6,647,260 column 6). The maker puts the customer care centre into it, so that a
 * device that was never provisioned can call (column 5); those entries stay.
 */
type AddressEntry = {
  readonly name: string;
  /** E.164 digits with or without `+`, or a short number. */
  readonly number: string;
  readonly origin: "factory" | "user";
};
export type AddressBook = readonly AddressEntry[];
type AddressFault = "name_wrong" | "number_wrong" | "full" | "kept_by_maker" | "unknown";

const MAX_ADDRESSES = 100;
const MAX_NAME = 40;
const NUMBER = /^\+?\d{2,15}$/;

type Changed =
  | { readonly kind: "changed"; readonly book: AddressBook }
  | { readonly kind: "refused"; readonly fault: AddressFault };

/** Puts an entry in, in the place of the user's own one of the same name. */
export function withAddress(book: AddressBook, entry: Omit<AddressEntry, "origin">): Changed {
  const name = entry.name.trim();
  const number = entry.number.replace(/[\s()/.-]/g, "");
  if (name === "" || name.length > MAX_NAME || /\p{Cc}/u.test(name)) return refused("name_wrong");
  if (!NUMBER.test(number)) return refused("number_wrong");
  const same = book.find((one) => isSame(one.name, name));
  if (same?.origin === "factory") return refused("kept_by_maker");
  const others = book.filter((one) => one !== same);
  if (others.length >= MAX_ADDRESSES) return refused("full");
  return { kind: "changed", book: sorted([...others, { name, number, origin: "user" }]) };
}

export function withoutAddress(book: AddressBook, name: string): Changed {
  const entry = book.find((one) => isSame(one.name, name));
  if (!entry) return refused("unknown");
  if (entry.origin === "factory") return refused("kept_by_maker");
  return { kind: "changed", book: book.filter((one) => one !== entry) };
}

const isSame = (one: string, other: string): boolean => one.toLowerCase() === other.trim().toLowerCase();

const sorted = (book: AddressBook): AddressBook =>
  book.toSorted((a, b) => a.name.localeCompare(b.name, "en"));

const refused = (fault: AddressFault): Changed => ({ kind: "refused", fault });
