/**
 * A small voice platform: fetches VoiceXML 2.1 documents over HTTP, hears their prompts, presses keys, follows goto and
 * submit, as the form interpretation algorithm says (VoiceXML 2.0 §2.1.6). It knows what our documents use and fails loudly
 * at anything else.
 */
import vm from "node:vm";
import { readXml } from "../../src/wire/xml/read.ts";
import type { XmlElement } from "../../src/wire/xml/tree.ts";

/** One request of the platform; a body is application/x-www-form-urlencoded. */
export type VoiceFetch = (
  method: "GET" | "POST",
  url: string,
  body: string | undefined,
) => Promise<{ readonly status: number; readonly contentType: string; readonly text: string }>;

export type VoiceEnd = { readonly kind: "transferred"; readonly to: string } | { readonly kind: "hung_up" };

/** Silence: the caller keys nothing in time. */
export const SILENCE = "";
const DOCUMENTS_MAX = 100;
const STEPS_MAX = 200;

type Go = {
  readonly kind: "go";
  readonly next: string;
  readonly method: "GET" | "POST";
  readonly body?: string;
};
type Flow = Go | { readonly kind: "again" } | { readonly kind: "end"; readonly end: VoiceEnd } | undefined;
type Keys = Generator<undefined, Flow, string>;

export class VoiceCall {
  /** All that was said since the last key. */
  heard = "";
  end: VoiceEnd | undefined;
  /** Every document that was fetched, for tests that look for what must not stand there. */
  readonly documents: string[] = [];
  readonly #fetch: VoiceFetch;
  readonly #session: object;
  #run: AsyncGenerator<undefined, void, string> | undefined;

  private constructor(fetch: VoiceFetch, callerUri: string | undefined) {
    this.#fetch = fetch;
    this.#session = { connection: { remote: callerUri === undefined ? {} : { uri: callerUri } } };
  }

  /** Dials: the first document, up to where a key is waited for. */
  static async dial(fetch: VoiceFetch, entry: string, callerUri?: string): Promise<VoiceCall> {
    const call = new VoiceCall(fetch, callerUri);
    call.#run = call.#walk(entry);
    await call.#go("");
    return call;
  }

  /** Keys that are pressed until the next wait. @returns what is heard then */
  async press(keys: string): Promise<string> {
    if (this.end) throw new Error("nobody is on the line any more");
    this.heard = "";
    await this.#go(keys);
    return this.heard;
  }

  /** The key that was offered for what is heard: "For Pictures, press 2." */
  keyFor(label: string): string {
    const escaped = label.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const found = new RegExp(
      `(?:For|Für) [^.?!]*${escaped}[^?!]*?(?:press|drücken Sie) (star )?(\\d+)\\.`,
    ).exec(this.heard);
    if (!found) throw new Error(`nothing was offered for "${label}": ${this.heard}`);
    return `${found[1] ? "*" : ""}${found[2]}`;
  }

  choose(label: string): Promise<string> {
    return this.press(this.keyFor(label));
  }

  async #go(keys: string): Promise<void> {
    const { done } = await this.#run!.next(keys);
    if (done && !this.end) throw new Error("the document ended without an end of the call");
  }

  async *#walk(entry: string): AsyncGenerator<undefined, void, string> {
    let go: Go = { kind: "go", next: entry, method: "GET" };
    let base = new URL("http://voice.invalid/");
    for (let count = 0; count < DOCUMENTS_MAX; count++) {
      const url = new URL(go.next, base);
      base = url;
      const answer = await this.#fetch(go.method, `${url.pathname}${url.search}`, go.body);
      if (answer.status !== 200) throw new Error(`error.badfetch.http.${answer.status}: ${answer.text}`);
      if (!answer.contentType.startsWith("application/voicexml+xml")) throw new Error(answer.contentType);
      this.documents.push(answer.text);
      const keys = this.#document(answer.text);
      let step = keys.next("");
      while (!step.done) step = keys.next(yield undefined);
      const flow: Flow = step.value;
      if (flow?.kind === "end") {
        this.end = flow.end;
        return;
      }
      if (flow?.kind !== "go") throw new Error("a document without a way on");
      go = flow;
    }
    throw new Error("documents follow each other without an end");
  }

  *#document(text: string): Keys {
    const { root } = readXml(Buffer.from(text));
    if (root.name !== "vxml" || attribute(root, "version") !== "2.1") throw new Error("no VoiceXML 2.1");
    const page = new Page(root, vm.createContext({ session: this.#session }), (said) => {
      this.heard += `${said} `;
    });
    return yield* page.run();
  }
}

/** One document and its variables. */
class Page {
  readonly #root: XmlElement;
  readonly #variables: vm.Context;
  readonly #say: (text: string) => void;
  constructor(root: XmlElement, variables: vm.Context, say: (text: string) => void) {
    this.#root = root;
    this.#variables = variables;
    this.#say = say;
  }

  *run(): Keys {
    for (const variable of childrenOf(this.#root, "var")) this.#declare(variable);
    let dialog = elementsOf(this.#root).find(({ name }) => name === "form" || name === "menu");
    for (let count = 0; dialog && count < STEPS_MAX; count++) {
      const flow: Flow = dialog.name === "menu" ? yield* this.#menu(dialog) : yield* this.#form(dialog);
      if (flow?.kind !== "go" || !flow.next.startsWith("#")) return flow;
      const id = flow.next.slice(1);
      dialog = elementsOf(this.#root).find((one) => attributeOr(one, "id", "") === id);
      if (!dialog) throw new Error(`error.badfetch: no dialog ${id}`);
    }
    throw new Error("dialogs follow each other without an end");
  }

  *#menu(menu: XmlElement): Keys {
    return yield* this.#ask(menu, (keys) => {
      const choice = childrenOf(menu, "choice").find((one) => attribute(one, "dtmf") === keys);
      return choice && go(attribute(choice, "next"));
    });
  }

  *#form(form: XmlElement): Keys {
    for (const item of elementsOf(form)) {
      let flow: Flow;
      switch (item.name) {
        case "var":
          this.#declare(item);
          break;
        case "block":
          flow = this.#execute(item);
          break;
        case "field":
          flow = yield* this.#field(item);
          break;
        case "transfer":
          return { kind: "end", end: { kind: "transferred", to: attribute(item, "dest") } };
        default:
          throw new Error(`<${item.name}> in a form`);
      }
      if (flow) return flow;
    }
    return undefined;
  }

  *#field(field: XmlElement): Keys {
    const name = attribute(field, "name");
    this.#variables[name] = undefined;
    return yield* this.#ask(field, (keys) => {
      const value = valueKeyed(field, keys);
      if (value === undefined) return undefined;
      this.#variables[name] = value;
      const [filled] = childrenOf(field, "filled");
      return (filled && this.#execute(filled)) ?? { kind: "again" }; // filled: the form goes on
    });
  }

  /** Prompts, waits, and on silence or a wrong key does what the handlers say, counted anew for each question. */
  *#ask(asking: XmlElement, take: (keys: string) => Flow): Keys {
    const counts = { noinput: 0, nomatch: 0 };
    for (let count = 0; count < STEPS_MAX; count++) {
      for (const prompt of childrenOf(asking, "prompt")) this.#say(spokenBy(prompt));
      const keys: string = yield undefined;
      const link = childrenOf(this.#root, "link").find(
        (one) => attribute(one, "dtmf").replaceAll(" ", "") === keys,
      );
      if (link) return go(attribute(link, "next"));
      const taken = keys === SILENCE ? undefined : take(keys);
      if (taken) return taken.kind === "again" ? undefined : taken;
      const event = keys === SILENCE ? "noinput" : "nomatch";
      const handled = this.#handle(asking, event, ++counts[event]);
      if (handled === "go on") return undefined;
      if (handled) return handled;
    }
    throw new Error("a question without an end");
  }

  /** The handler nearest by, of those whose count is reached the one with the highest (VoiceXML 2.0 §5.2). */
  #handle(asking: XmlElement, event: "noinput" | "nomatch", count: number): Flow | "go on" {
    for (const scope of [asking, this.#root]) {
      const [handler] = childrenOf(scope, event)
        .filter((one) => Number(attributeOr(one, "count", "1")) <= count)
        .sort(
          (one, other) => Number(attributeOr(other, "count", "1")) - Number(attributeOr(one, "count", "1")),
        );
      if (!handler) continue;
      const flow = this.#execute(handler);
      if (flow) return flow;
      return childrenOf(handler, "assign").length > 0 ? "go on" : undefined;
    }
    throw new Error(`nobody handles ${event}`);
  }

  #execute(content: XmlElement): Flow {
    for (const one of elementsOf(content)) {
      switch (one.name) {
        case "prompt":
          this.#say(spokenBy(one));
          break;
        case "assign":
          this.#variables[attribute(one, "name")] = this.#evaluate(attribute(one, "expr"));
          break;
        case "reprompt":
          return undefined;
        case "goto":
          return go(attribute(one, "next"));
        case "submit":
          return this.#submit(one);
        case "disconnect":
          return { kind: "end", end: { kind: "hung_up" } };
        default:
          throw new Error(`<${one.name}> is executed nowhere`);
      }
    }
    return undefined;
  }

  #submit(submit: XmlElement): Go {
    const names = attributeOr(submit, "namelist", "")
      .split(" ")
      .filter((name) => name !== "");
    const body = new URLSearchParams(
      names.map((name): [string, string] => [name, String(this.#evaluate(name))]),
    );
    return { ...go(attribute(submit, "next")), method: "POST", body: body.toString() };
  }

  #declare(variable: XmlElement): void {
    this.#variables[attribute(variable, "name")] = this.#evaluate(attribute(variable, "expr"));
  }

  #evaluate(expression: string): unknown {
    return vm.runInContext(expression, this.#variables);
  }
}

/** VoiceXML 2.0 appendix P: what a builtin type makes of keys; undefined is no match. */
function valueKeyed(field: XmlElement, keys: string): unknown {
  const options = childrenOf(field, "option");
  if (options.length > 0) {
    const option = options.find((one) => attribute(one, "dtmf").replaceAll(" ", "") === keys);
    return option && attribute(option, "value");
  }
  const [type = "", rules = ""] = attribute(field, "type").split("?");
  const rule = new Map(rules.split(";").map((one) => one.split("=", 2) as [string, string]));
  if (!/^\d+$/.test(keys)) return undefined;
  switch (type) {
    case "digits": {
      const isLongEnough = keys.length >= Number(rule.get("minlength") ?? 0);
      return isLongEnough && keys.length <= Number(rule.get("maxlength") ?? keys.length) ? keys : undefined;
    }
    case "boolean":
      return keys === rule.get("y") ? true : keys === rule.get("n") ? false : undefined;
    case "date":
      return /^\d{8}$/.test(keys) ? keys : undefined;
    default:
      throw new Error(`no builtin type ${type}`);
  }
}

const go = (next: string): Go => ({ kind: "go", next, method: "GET" });
const elementsOf = ({ content }: XmlElement): XmlElement[] =>
  content.filter((one): one is XmlElement => typeof one !== "string");
const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  elementsOf(element).filter((one) => one.name === name);
const attributeOr = ({ attributes }: XmlElement, name: string, otherwise: string): string =>
  attributes.find((one) => one.name === name)?.value ?? otherwise;
function attribute(element: XmlElement, name: string): string {
  const value = attributeOr(element, name, "\0");
  if (value === "\0") throw new Error(`<${element.name}> without ${name}`);
  return value;
}
const spokenBy = (element: XmlElement): string =>
  element.content
    .map((one) => (typeof one === "string" ? one : spokenBy(one)))
    .join(" ")
    .replace(/\s+/g, " ")
    .trim();
