/** Header lines as they came on the wire: names in small letters, doubled ones apart. Node's own object joins or drops them. */
export type HeaderLines = ReadonlyMap<string, readonly string[]>;

/** @param raw `[name, value, name, value, ...]`, node's `rawHeaders` */
export function headerLines(raw: readonly string[]): HeaderLines {
  const lines = new Map<string, string[]>();
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const [given = "", value = ""] = raw.slice(at, at + 2);
    const name = given.toLowerCase();
    const known = lines.get(name);
    if (known) known.push(value);
    else lines.set(name, [value]);
  }
  return lines;
}

/** Undefined where there is none, or more than one. */
export const oneHeader = (headers: HeaderLines, name: string): string | undefined => {
  const lines = headers.get(name);
  return lines?.length === 1 ? lines[0] : undefined;
};
