/**
 * The portal on the public server, for those who come without our proxy (`/d/...`). Operators' own gateways, phones of
 * 2000 and browsers of today meet here; nobody but a configured gateway says who asks by a header.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { TurnupError } from "../../term/error.ts";
import { AIR_HEADERS } from "../../wire/message/legs.ts";
import { Allowance } from "../allowance.ts";
import { hostOf } from "../connections.ts";
import { headerLines, oneHeader } from "../header-lines.ts";
import { DEFAULT_PORTAL_LIMITS } from "../limits.ts";
import { takePage } from "../proxy/draw-screen.ts";
import { convertBody } from "../proxy/forms.ts";
import { answered } from "./answered.ts";
import { readPosted } from "./body.ts";
import { type Asked, createPages } from "./page.ts";
import {
  type PortalContext,
  type PortalRequest,
  type Shown,
  shown,
  showTrouble,
  Trouble,
  troubleOf,
} from "./portal-context.ts";
import { type Arrival, publicVisitor, strangerAt } from "./public-visitor.ts";
import { createSignIn, type SignIn } from "./sign-in.ts";
import type { Visitor } from "./visitor.ts";

const BODY_OCTETS_MAX = 65_536;
const IDEMPOTENCY_KEY = /^[\x21-\x7e]{1,200}$/;
const KEPT_PATH = /^\/d\/p\/([A-Za-z0-9_-]{22})$/;
/** What an SMS leads to: the address is its own credential. */
const LINK_PATH = /^\/d\/(?:l|offers)\//;
const MINUTE_MS = 60_000;
/** Of one person, or of one link: a page that looks again by itself asks twelve times. */
const REQUESTS_PER_MINUTE = 300;
const REMEMBERED_MAX = 10_000;
const FORGET_EVERY_MS = 60 * MINUTE_MS;
/** A way in is of no use long before, and says when it was used to who has to know. */
const LINKS_KEPT_MS = 30 * 24 * 60 * MINUTE_MS;

export type PublicDoor = { mount(server: FastifyInstance): Promise<void>; idle(): Promise<void> };

type Door = {
  readonly context: PortalContext;
  readonly deps: PortalContext["deps"];
  readonly pages: ReturnType<typeof createPages>;
  readonly signIn: SignIn;
  readonly persons: Allowance;
  readonly links: Allowance;
  readonly strangers: Allowance;
};

export function createPublicDoor(context: PortalContext): PublicDoor {
  const { deps } = context;
  const signIn = createSignIn(context);
  const door: Door = {
    context,
    deps,
    signIn,
    pages: createPages(context),
    persons: allowance(REQUESTS_PER_MINUTE),
    links: allowance(REQUESTS_PER_MINUTE),
    strangers: allowance((deps.limits ?? DEFAULT_PORTAL_LIMITS).pagesPerAddress),
  };

  return {
    async mount(server) {
      await server.register(async (scope) => {
        scope.removeAllContentTypeParsers();
        scope.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) => done(null, body));
        scope.route({
          method: ["GET", "POST"],
          url: "/d/*",
          bodyLimit: BODY_OCTETS_MAX,
          exposeHeadRoute: false,
          handler: (request, reply) => handle(door, request, reply),
        });
        const timer = setInterval(() => {
          deps.people
            .forgetLinks(new Date(deps.clock().getTime() - LINKS_KEPT_MS))
            .catch((error: unknown) => deps.onFault("old ways in not forgotten", error));
        }, FORGET_EVERY_MS);
        timer.unref();
        scope.addHook("onClose", async () => {
          clearInterval(timer);
          await signIn.idle();
        });
      });
    },
    idle: signIn.idle,
  };
}

const allowance = (perWindow: number): Allowance =>
  new Allowance({ perWindow, windowMs: MINUTE_MS, keysMax: REMEMBERED_MAX });

async function handle(door: Door, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const operator = await door.deps.operatorAt({ host: request.hostname });
  if (!operator) throw new TurnupError("not_found", "No operator's portal stands at this address.");
  const headers = headerLines(request.raw.rawHeaders);
  const { target, page } = takePage(request.raw.url ?? "");
  const [path = "", query = ""] = target.split("?", 2);
  const arrival: Arrival = { address: request.ip, headers, query: new URLSearchParams(query) };
  const method = request.method === "POST" ? "POST" : "GET";
  const asked: Asked = { method, headers, page };
  let visitor = strangerAt(operator, arrival);
  let answer: Shown;
  try {
    visitor = await publicVisitor(door.context, operator, arrival);
    limit(door, visitor, request.ip, path);
    answer =
      keptScreen(door, visitor, method, path) ??
      (await answered(
        door.context,
        visitor,
        () => callOf(request, arrival, { method, path }),
        door.signIn.stepsFor(hostOf(request.ip)),
      ));
    return door.pages.send(reply, visitor, answer, asked);
  } catch (error) {
    return door.pages.send(reply, visitor, faultOf(door, visitor, error), asked);
  }
}

/** Behind one address are many strangers: each link has an allowance of its own, which nobody can use up who has it not. */
function limit(door: Door, visitor: Visitor, address: string, path: string): void {
  const isLink = LINK_PATH.test(path);
  const allowed = isLink ? door.links : visitor.who ? door.persons : door.strangers;
  const who = visitor.who ? visitor.subject : `address ${hostOf(address)}${isLink ? ` ${path}` : ""}`;
  const seconds = allowed.take(who, door.deps.monotonicMs());
  if (seconds > 0) throw new Trouble("too_many_requests", 429, seconds);
}

function keptScreen(door: Door, visitor: Visitor, method: string, path: string): Shown | undefined {
  const id = KEPT_PATH.exec(path)?.[1];
  if (id === undefined || method !== "GET") return undefined;
  const screen = door.pages.kept.find(visitor.subject, id, door.deps.monotonicMs());
  if (!screen) throw new Trouble("not_found", 404);
  return shown(screen, visitor.at(path));
}

/** What nobody foresaw is told in one sentence, and written down by whoever keeps faults. */
function faultOf(door: Door, visitor: Visitor, error: unknown): Shown {
  const trouble = troubleOf(error);
  if (trouble) return showTrouble(visitor, trouble);
  door.deps.onFault("portal", error);
  const isAway = error instanceof TurnupError && /^database_|_full$|_unavailable$/.test(error.code);
  return showTrouble(visitor, new Trouble("other", isAway ? 503 : 500));
}

/** @throws TurnupError `media_type_unsupported`, `body_malformed` */
function callOf(
  request: FastifyRequest,
  { headers, query }: Arrival,
  { method, path }: { readonly method: "GET" | "POST"; readonly path: string },
): PortalRequest {
  const body = request.body instanceof Uint8Array ? request.body : new Uint8Array();
  // Old browsers write forms in the charset of the page, or of the handset.
  const converted = convertBody(oneHeader(headers, "content-type"), body);
  const key = oneHeader(headers, AIR_HEADERS.idempotencyKey);
  return {
    method,
    path,
    query,
    body: readPosted(converted.contentType, converted.body),
    idempotencyKey: key !== undefined && IDEMPOTENCY_KEY.test(key) ? key : null,
    noticeKey: null,
  };
}
