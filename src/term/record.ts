/**
 * Objects by their names. TypeScript types the names of any object as `string`, since an object may have more members than its
 * type says; here are those whose members are all known: tables that the program itself wrote.
 */

/** The names of a table, in the order in which it was written. */
export const keysOf = <Name extends string>(table: { readonly [name in Name]?: unknown }): Name[] =>
  Object.keys(table) as Name[]; // as it says above

/** Names and members of a table, in the order in which it was written. */
export const entriesOf = <Name extends string, Member>(
  table: {
    readonly [name in Name]?: Member;
  },
): [Name, Member][] => Object.entries(table) as [Name, Member][]; // likewise

/** A table with one member for each of these names, made by its name. */
export const recordOf = <Name extends string, Member>(
  names: readonly Name[],
  make: (name: Name) => Member,
): Record<Name, Member> =>
  Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Member>; // one for each of the names

/** A table with this one member, or none where it is absent: to be spread into another. */
export const optionalMember = <Name extends string, Member>(
  name: Name,
  member: Member | undefined,
): { readonly [one in Name]?: Member } =>
  member === undefined ? {} : ({ [name]: member } as { readonly [one in Name]?: Member }); // a name that is computed loses its type
