/**
 * Changes of drafts. A draft is read under its lock, changed in memory, and written with its transaction where it says
 * `changed`: who changes it here cannot forget to say so. What is fixed in a draft (its id, its kind) cannot be changed, and
 * a field or a state that there is not does not compile.
 */

/** `true` where writing to the field compiles: TypeScript tells a readonly property from another by identity alone. */
type IsSame<One, Other> =
  (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;

type ChangeableField<Draft> = {
  [Field in keyof Draft]-?: IsSame<
    { [Same in Field]: Draft[Field] },
    { -readonly [Same in Field]: Draft[Field] }
  > extends true
    ? Field
    : never;
}[keyof Draft];

/** New values of a draft's fields, as many as change. */
type Changes<Draft> = Partial<Pick<Draft, Exclude<ChangeableField<Draft>, "changed">>>;

/** Changes a draft and marks it to be written; its order has to be among those that the scribe touched. */
export function change<Draft extends { changed: boolean }>(
  draft: Draft,
  part: NoInfer<Changes<Draft>>,
): void {
  Object.assign(draft, part);
  draft.changed = true;
}

/** Puts a draft back to what it was before something failed half way. */
export function restore<Draft extends object>(draft: Draft, before: NoInfer<Draft>): void {
  Object.assign(draft, before);
}
