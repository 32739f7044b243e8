/**
 * The telephone channel (US 6,647,260, column 2; R69): the subscriber's dialog read out by the operator's voice platform and
 * answered by keys. The platform asks for VoiceXML documents; who calls is proved by a code sent to their SIM; a request goes
 * in as any other, its terms come by SMS. What keys cannot answer goes to an agent, or to the phone's own browser by a link.
 */
import Type from "typebox";
import type { Caller } from "../../kernel/account/role.ts";
import { localized } from "../../kernel/catalog/localized.ts";
import { type KnownPeer, NO_PEERS } from "../../kernel/catalog/peers.ts";
import { termsWith } from "../../kernel/dialog/catalog-screens.ts";
import { fill } from "../../kernel/dialog/texts.ts";
import { isOfFormerNumber } from "../../kernel/dialog/tokens.ts";
import type { RequestDesk } from "../../kernel/order/request.ts";
import type { SelfCare } from "../../kernel/order/self-care.ts";
import type { Action, Screen } from "../../wire/screen/screen.ts";
import { answered } from "../d/answered.ts";
import { NOTHING_POSTED, type PostedBody, readPosted } from "../d/body.ts";
import { type PortalContext, Trouble, viewOf } from "../d/portal-context.ts";
import { subjectOf, type Visitor } from "../d/visitor.ts";
import type { HttpDeps } from "../ports.ts";
import { type Answer, asItIs, type Route, route } from "../route.ts";
import { sendLink } from "../sign-in-link.ts";
import { CALL_NONCE_OCTETS, openCall, sealCall, type VoiceCall } from "./call.ts";
import { callerNumber } from "./caller.ts";
import { agentDocument, entryDocument, spokenDocument, VXML_TYPE } from "./documents.ts";
import {
  type Address,
  type CodeDesk,
  codeScreen,
  createCodeDesk,
  languageScreen,
  numberScreen,
  pinScreen,
  STEP,
} from "./sign-in.ts";
import { callWordsIn } from "./words.ts";

const PATH = "/voice/screen";
const FORM_TYPE = "application/x-www-form-urlencoded";
const FORM_OCTETS_MAX = 16_384;
/** As many wrong codes, or answers that led nowhere, and an agent takes over. */
const FAILURES_MAX = 3;
const SUMMARY_CHARACTERS = 280;
const HELP = "help";
/** Behind the help that needs nobody. */
const AGENT = "/d/help/agent";
const CHANNEL = "telephone";
const VOICE = ["voice"] as const;

const shared = {
  tag: "voice",
  roles: VOICE,
  takesPlatform: true,
  errors: [],
  status: 200,
  produces: ["application/voicexml+xml"],
} as const;
const query = {
  to: Type.Optional(Type.String({ maxLength: 300, description: "Where in the dialog." })),
  call: Type.Optional(Type.String({ maxLength: 400, description: "The call so far, sealed." })),
};

export const voiceEntry = route({
  ...shared,
  method: "GET",
  path: "/voice",
  summary: "The entry of the telephone menu, in VoiceXML 2.1: configure this address at the voice platform",
  async handle(): Promise<Answer<never>> {
    return document(entryDocument(PATH));
  },
});

export function voiceScreens(): Readonly<Record<"getVoiceScreen" | "keyVoiceScreen", Route>> {
  const codes = createCodeDesk();
  const screen = (method: "GET" | "POST"): Route =>
    route({
      ...shared,
      method,
      path: PATH,
      summary:
        method === "GET"
          ? "A document of the telephone menu"
          : "What a caller keyed, and the document after it",
      description: "Addresses stand in the documents; without a call that goes on, the first document comes.",
      query,
      ...(method === "POST" ? { consumes: [FORM_TYPE], bodyLimitOctets: FORM_OCTETS_MAX } : {}),
      async handle(deps, { query: { to, call: token }, caller, request }): Promise<Answer<never>> {
        const posted = method === "POST" ? postedIn(request.body) : NOTHING_POSTED;
        const onFault = (name: string, error: unknown) => request.log.error({ err: error }, name);
        const line: Line = { deps, caller, codes, method, posted, onFault };
        const call = token === undefined ? undefined : openCall(token, deps.clock(), keyFor(line));
        return document(call && to !== undefined ? await step(line, call, to) : await begin(line));
      },
    });
  return { getVoiceScreen: screen("GET"), keyVoiceScreen: screen("POST") };
}

const document = (text: string): Answer<never> => asItIs(text, { "content-type": VXML_TYPE });

type Line = {
  readonly deps: HttpDeps;
  /** The voice platform. */
  readonly caller: Caller;
  readonly codes: CodeDesk;
  readonly method: "GET" | "POST";
  readonly posted: PostedBody;
  readonly onFault: (name: string, error: unknown) => void;
};

const keyFor = ({ deps, caller }: Line) => ({ key: deps.requests.key, operatorId: caller.operatorId });

const addressIn =
  (line: Line): Address =>
  (to, call) => {
    const { clock, requests } = line.deps;
    const token = sealCall(call, clock(), requests.freshOctets(CALL_NONCE_OCTETS), keyFor(line));
    return `${PATH}?to=${encodeURIComponent(to)}&call=${token}`;
  };

/** Somebody calls: what the exchange says of their number is kept as a hint. */
async function begin(line: Line): Promise<string> {
  const { deps, caller, posted } = line;
  const { name } = await deps.requests.operatorOf(caller.operatorId);
  const call: VoiceCall = {
    language: "en",
    caller: callerNumber(posted.texts.get("caller") ?? "") ?? null,
    challenge: null,
    failures: 0,
    subscriberId: null,
    pinOf: null,
    provedMs: null,
  };
  return spoken(line, call, languageScreen(name, call, addressIn(line)));
}

async function step(line: Line, known: VoiceCall, to: string): Promise<string> {
  const call = await stillProved(line, known);
  const isSignIn = Object.values<string>(STEP).includes(to);
  if (isSignIn) return signIn(line, call, to);
  if (call.subscriberId === null) return spoken(line, call, numberScreen(call, addressIn(line)));
  return dialog(line, call, call.subscriberId, { to });
}

async function signIn(line: Line, call: VoiceCall, to: string): Promise<string> {
  const { deps, caller, codes, method, posted } = line;
  const { operatorId } = caller;
  const at = addressIn(line);
  const words = callWordsIn(call.language);
  if (method === "GET" || to === STEP.number) return spoken(line, call, numberScreen(call, at));
  if (to === STEP.send) {
    const sent = await codes.send(deps, operatorId, call, posted.texts.get("msisdn"));
    if (sent === "too_often") return agent(line, call, [words.tooOften]);
    if (sent === "wrong_number") {
      const failed = { ...call, failures: call.failures + 1 };
      if (failed.failures >= FAILURES_MAX) return agent(line, call, [words.numberWrong]);
      return spoken(line, call, numberScreen(failed, at, true));
    }
    return spoken(line, sent, codeScreen(sent, at, false));
  }
  if (to === STEP.pin) return pinKeyed(line, call);
  const checked = await codes.check(deps, operatorId, call, posted.texts.get("code") ?? "");
  if (checked.pinOf !== null) return spoken(line, checked, pinScreen(checked, at, false));
  if (checked.subscriberId !== null) return welcome(line, checked, checked.subscriberId);
  if (checked.failures >= FAILURES_MAX) return agent(line, call, [words.codeWrong]);
  return spoken(line, checked, codeScreen(checked, at, true));
}

/** A number that became another SIM's since the code was right proves nothing any more. */
async function pinKeyed(line: Line, call: VoiceCall): Promise<string> {
  const { deps, caller, posted } = line;
  const at = addressIn(line);
  const words = callWordsIn(call.language);
  if (call.pinOf === null) return spoken(line, call, numberScreen(call, at));
  const keyed = (posted.texts.get("pin") ?? "").replace(/\D/g, "");
  const answer = await deps.requests.pins.check(caller.operatorId, call.pinOf, keyed);
  if (answer === "locked") return agent(line, call, [words.pinLocked]);
  if (answer === "wrong") {
    const failed = { ...call, failures: call.failures + 1 };
    if (failed.failures >= FAILURES_MAX) return agent(line, call, [words.pinWrong]);
    return spoken(line, failed, pinScreen(failed, at, true));
  }
  const proved = await stillProved(line, { ...call, subscriberId: call.pinOf, pinOf: null, failures: 0 });
  if (proved.subscriberId === null) return spoken(line, proved, numberScreen(proved, at));
  return welcome(line, proved, proved.subscriberId);
}

/** Whoever was cut off hears first where they were. */
async function welcome(line: Line, call: VoiceCall, subscriberId: string): Promise<string> {
  const { context, visitor } = await callerOn(line, call, subscriberId);
  const { requests } = await viewOf(context, visitor);
  const open = requests.find(({ state }) =>
    ["received", "verifying", "awaiting_consent", "provisioning"].includes(state),
  );
  const words = callWordsIn(call.language);
  const first = open ? [fill(words.resumed, { reference: open.reference.split("").join(" ") })] : [];
  return dialog({ ...line, method: "GET", posted: NOTHING_POSTED }, call, subscriberId, {
    to: "/d/start",
    first,
  });
}

/** The steps of the portal, in the name of this caller, as requests of the telephone channel. */
async function dialog(
  line: Line,
  call: VoiceCall,
  subscriberId: string,
  { to, first = [] }: { readonly to: string; readonly first?: readonly string[] },
): Promise<string> {
  const { method, posted } = line;
  const [path = "", search = ""] = to.split("?", 2);
  if (path === AGENT) return agent(line, call, []);
  const { context, visitor } = await callerOn(line, call, subscriberId);
  const shown = await answered(context, visitor, () => {
    if (!path.startsWith("/d/")) throw new Trouble("not_found", 404);
    return {
      method,
      path,
      query: new URLSearchParams(search),
      body: posted,
      idempotencyKey: null,
      noticeKey: null,
    };
  });
  if (shown.kind === "content") return agent(line, call, [callWordsIn(call.language).notByKeys]);
  const isOfItem = ["item", "order"].includes(shown.screen.id);
  const terms = isOfItem ? await termsOf(line, call, path) : [];
  const screen = withAgent(line, forEars(shown.screen, first, terms), visitor.at(AGENT), call);
  return spoken(line, call, screen, subscriberId);
}

/**
 * Addresses of other servers lead to screens for eyes. A form without fields would be sent as soon as it was read out: it
 * becomes a key that confirms.
 */
function forEars(screen: Screen, first: readonly string[], last: readonly string[]): Screen {
  const { form, ...rest } = screen;
  const isConfirmation = form?.fields.length === 0;
  const confirm: Action[] = isConfirmation
    ? [{ role: "accept", label: form.submit, href: form.action, method: "post", hidden: form.hidden }]
    : [];
  const entries = screen.entries.filter(({ href }) => href.startsWith(PATH));
  return {
    ...rest,
    ...(form && !isConfirmation ? { form } : {}),
    text: [...first, ...screen.text, ...last],
    entries,
    // Beside a form entries are not read out, and what else may pay must be heard.
    actions: [
      ...confirm,
      ...(form && !isConfirmation ? entries.filter(({ href }) => OTHER_MEANS.test(href)).map(asAction) : []),
      ...screen.actions.filter(({ href }) => href.startsWith(PATH)),
    ],
  };
}

const OTHER_MEANS = /pay%3D(?:card|account)/;
const asAction = ({ label, href }: Screen["entries"][number]): Action => ({ role: "more", label, href });

/** A person, where there is one, for whoever wants them once they have heard what goes without. */
const withAgent = ({ deps, caller }: Line, screen: Screen, href: string, { language }: VoiceCall): Screen =>
  screen.id === HELP && deps.requests.agentOf(caller.operatorId) !== undefined
    ? { ...screen, entries: [...screen.entries, { label: callWordsIn(language).person, href }] }
    : screen;

const ITEM = /^\/d\/items\/([a-z0-9][a-z0-9-]{0,62})(?:\/order)?$/;

/** The terms in short, of a package those of its members too, and that the whole of them comes by SMS. */
async function termsOf({ deps, caller }: Line, call: VoiceCall, path: string): Promise<readonly string[]> {
  const id = ITEM.exec(path)?.[1];
  if (id === undefined) return [];
  const catalog = await deps.catalog.currentCatalog(caller.operatorId);
  const inForce = await deps.catalog.currentTerms(caller.operatorId);
  const item = catalog.get(id);
  const texts = (item ? termsWith(catalog, item) : []).flatMap(({ terms }) => {
    const found = inForce.get(terms ?? "");
    return found ? [found.texts] : [];
  });
  if (texts.length === 0) return [];
  const words = callWordsIn(call.language);
  return [
    ...texts.map((one) => fill(words.termsSummary, { summary: beginningOf(localized(one, call.language)) })),
    words.termsBySms,
  ];
}

/** Whole sentences as far as they fit. */
function beginningOf(text: string): string {
  const plain = text.replace(/\s+/g, " ").trim();
  if (plain.length <= SUMMARY_CHARACTERS) return plain;
  const cut = plain.slice(0, SUMMARY_CHARACTERS);
  const end = cut.lastIndexOf(". ");
  return end > 0 ? cut.slice(0, end + 1) : `${cut.slice(0, cut.lastIndexOf(" "))} ...`;
}

/** The code that proved the caller counts no more once its number is another SIM's. */
async function stillProved({ deps, caller }: Line, call: VoiceCall): Promise<VoiceCall> {
  const { subscriberId, provedMs } = call;
  if (subscriberId === null) return call;
  const person = await deps.requests.people.find(caller.operatorId, { subscriberId });
  if (person && !isOfFormerNumber(new Date(provedMs ?? 0), person)) return call;
  return { ...call, subscriberId: null, provedMs: null, challenge: null };
}

async function callerOn(
  line: Line,
  call: VoiceCall,
  subscriberId: string,
): Promise<{ readonly context: PortalContext; readonly visitor: Visitor }> {
  const { deps, caller } = line;
  const { operatorId } = caller;
  const { requests } = deps;
  const at = addressIn(line);
  const visitor: Visitor = {
    door: "public",
    operator: await requests.operatorOf(operatorId),
    subject: subjectOf(`telephone ${operatorId} ${subscriberId}`),
    person: await requests.people.find(operatorId, { subscriberId }),
    who: { subscriberId },
    assurance: "otp",
    language: call.language,
    bearer: null,
    byKeys: true,
    at: (path) => at(path, call),
  };
  return { context: { deps: portalDepsOf(line) }, visitor };
}

function portalDepsOf({ deps, onFault }: Line): PortalContext["deps"] {
  const { clock, monotonicMs, catalog, policies, audit, repeats, texts, requests, peers = NO_PEERS } = deps;
  return {
    ...requests,
    clock,
    monotonicMs,
    catalog,
    policies,
    audit,
    repeats,
    texts,
    peers: { of: (origin) => withoutPortal(peers.of(origin)) },
    desk: onTelephone(requests.desk),
    selfCare: careOnTelephone(requests.selfCare),
    operatorAt: async () => undefined, // the token of the platform says whose caller it is
    gateways: [],
    onShown: (seen) =>
      void requests.reader
        .noteScreen({ ...seen, channel: CHANNEL })
        .catch((error: unknown) => onFault("last screen not noted", error)),
    onFault,
  };
}

/** A telephone follows no link: what another server takes from here is asked for here. */
const withoutPortal = (peer: KnownPeer | undefined): KnownPeer | undefined =>
  peer && { ...peer, portalUrl: null };

/** The same desk; what comes by telephone says so. */
const onTelephone = (desk: RequestDesk): RequestDesk => ({
  ...desk,
  submit: (operatorId, request) =>
    desk.submit(operatorId, {
      ...request,
      channel: request.channel === "self_service" ? "telephone" : request.channel,
      actor: "ivr",
    }),
  giveDetails: (scope, orderId, user) => desk.giveDetails(scope, orderId, user, CHANNEL),
  answerTerms: (scope, orderId, answer) => desk.answerTerms(scope, orderId, answer, CHANNEL),
  chooseRetransmission: (scope, item, choice) => desk.chooseRetransmission(scope, item, choice, CHANNEL),
});

const careOnTelephone = (care: SelfCare): SelfCare => ({
  ...care,
  resend: (scope, orderId) => care.resend(scope, orderId, CHANNEL),
  giveUp: (scope, orderId) => care.giveUp(scope, orderId, CHANNEL),
});

/** The screen in words; one that keys cannot answer goes to an agent, or else to the caller's own phone. */
async function spoken(line: Line, call: VoiceCall, screen: Screen, subscriberId?: string): Promise<string> {
  const { deps, caller } = line;
  const transferTo = deps.requests.agentOf(caller.operatorId);
  const words = callWordsIn(call.language);
  const text = spokenDocument(screen, {
    ...(transferTo === undefined ? {} : { transferTo }),
    ...(words.keys ? { words: words.keys } : {}),
  });
  if (text !== undefined) return text;
  if (transferTo !== undefined || subscriberId === undefined) return agent(line, call, [words.notByKeys]);
  const isSent = await linkTo(line, call, subscriberId);
  return agent(line, call, [words.notByKeys, isSent ? words.linkSent : words.trouble]);
}

async function linkTo(
  { deps, caller }: Line,
  { language }: VoiceCall,
  subscriberId: string,
): Promise<boolean> {
  const { operatorId } = caller;
  const person = await deps.requests.people.find(operatorId, { subscriberId });
  if (!person?.msisdn) return false;
  return sendLink(deps, { operatorId, subscriberId, msisdn: person.msisdn, language });
}

async function agent({ deps, caller }: Line, call: VoiceCall, why: readonly string[]): Promise<string> {
  return agentDocument(call.language, why, deps.requests.agentOf(caller.operatorId));
}

/** @throws TurnupError `body_malformed`: a field that says two things, as in `answer=accept&answer=decline` */
const postedIn = (body: unknown): PostedBody =>
  typeof body === "string" ? readPosted(FORM_TYPE, Buffer.from(body)) : NOTHING_POSTED;
