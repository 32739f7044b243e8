/**
 * The octets that an HTTP message signature covers: one line a component, then the parameters. Source: RFC 9421 §2.
 *
 *   "@method": POST
 *   "content-digest": sha-256=:...:
 *   "@signature-params": ("@method" "content-digest");created=1618884473;keyid="..."
 */
import { type InnerList, type Item, serializeInnerList, serializeItem } from "./structured-field.ts";

/** A message as it stands on the wire. Header names in small letters; one value for each field line, in their order. */
export type SignedMessage = {
  readonly headers: ReadonlyMap<string, readonly string[]>;
} & (
  | {
      readonly kind: "request";
      readonly method: string;
      /** As in the request line's Host, with its port where it is not the scheme's own. */
      readonly authority: string;
      readonly scheme: "http" | "https";
      /** Path and query as they were sent. */
      readonly target: string;
    }
  | { readonly kind: "response"; readonly status: number }
);

/** A component that the message does not have, or that is no component: nothing can be signed or verified over it. */
export class ComponentError extends Error {
  override readonly name = "ComponentError";
  readonly component: string;
  constructor(component: string, fact: string) {
    super(`${component}: ${fact}`);
    this.component = component;
  }
}

/**
 * The text that is signed, LF between its lines, none at its end (RFC 9421 §2.5).
 * @param params the signature's parameters exactly as they were sent; serialized from the list where we sign ourselves
 * @throws ComponentError: the message lacks a component, has it twice in the list, or its value holds a line end
 */
export function signatureBase(
  message: SignedMessage,
  list: InnerList,
  params: string = serializeInnerList(list),
): string {
  const names = new Set<string>();
  const lines = list.items.map((item) => {
    const name = serializeItem(item);
    if (names.has(name)) throw new ComponentError(name, "is covered twice");
    names.add(name);
    const value = componentValue(message, item);
    if (/[\r\n]/.test(value)) throw new ComponentError(name, "holds a line end");
    return `${name}: ${value}`;
  });
  return [...lines, `"@signature-params": ${params}`].join("\n");
}

function componentValue(message: SignedMessage, { bare, parameters }: Item): string {
  if (bare.kind !== "string") throw new ComponentError("a component", "its name is no string");
  const { value: name } = bare;
  const known = name === "@query-param" ? ["name"] : [];
  // bs, sf, key, tr and req change what is covered; none is used between our parties, so none is guessed at.
  for (const parameter of parameters.keys())
    if (!known.includes(parameter)) throw new ComponentError(name, `the parameter ${parameter} is not known`);
  if (!name.startsWith("@")) return fieldValue(message, name);
  if (message.kind === "response") {
    if (name === "@status") return String(message.status);
    throw new ComponentError(name, "is no component of a response");
  }
  const parameter = parameters.get("name");
  return derivedValue(message, name, parameter?.kind === "string" ? parameter.value : undefined);
}

/** Field lines trimmed and joined by comma and space (§2.1). */
function fieldValue({ headers }: SignedMessage, name: string): string {
  if (!/^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name))
    throw new ComponentError(name, "is no field name in small letters");
  const values = headers.get(name);
  if (!values || values.length === 0) throw new ComponentError(name, "the message does not have this field");
  return values.map((value) => value.trim().replace(/[ \t]*\r\n[ \t]+/g, " ")).join(", ");
}

function derivedValue(
  message: Extract<SignedMessage, { kind: "request" }>,
  name: string,
  parameter: string | undefined,
): string {
  const { method, scheme, target } = message;
  const [path = "", query] = splitTarget(target);
  switch (name) {
    case "@method":
      return method;
    case "@authority":
      return authorityOf(message);
    case "@scheme":
      return scheme;
    case "@target-uri":
      return `${scheme}://${message.authority}${target}`;
    case "@request-target":
      return target;
    case "@path":
      return path === "" ? "/" : path;
    case "@query":
      return `?${query ?? ""}`;
    case "@query-param":
      return queryParameter(query ?? "", parameter);
    default:
      throw new ComponentError(name, "is no component of a request");
  }
}

function splitTarget(target: string): [string, string | undefined] {
  const at = target.indexOf("?");
  return at < 0 ? [target, undefined] : [target.slice(0, at), target.slice(at + 1)];
}

/** Small letters, and no port that the scheme implies (§2.2.3). */
function authorityOf({ authority, scheme }: Extract<SignedMessage, { kind: "request" }>): string {
  const implied = scheme === "https" ? ":443" : ":80";
  const small = authority.toLowerCase();
  return small.endsWith(implied) ? small.slice(0, -implied.length) : small;
}

/** Percent-encoded again as a form would be (§2.2.8); one of several cannot be told, so they are refused. */
function queryParameter(query: string, wanted: string | undefined): string {
  const encode = (text: string): string =>
    encodeURIComponent(text).replace(/[!'()~]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
  const values = [...new URLSearchParams(query)].filter(([name]) => encode(name) === wanted);
  const [first, ...more] = values;
  if (wanted === undefined || !first || more.length > 0)
    throw new ComponentError("@query-param", "the query does not have it exactly once");
  return encode(first[1]);
}
