/**
 * The console's pages, as `npm run build:web` made them: one page for every address under /console/, and its parts, whose names
 * change with what they hold. Nothing runs that stands in the page itself, so a word that somebody smuggles in is shown and never run.
 * All addresses in the page are relative, so it works behind whatever prefix a proxy in front takes away.
 */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { codeOf } from "../../term/narrow.ts";

const NONCE_OCTETS = 18;
/** What the build names by a hash of its content: letters, digits, hyphens, one ending. */
const ASSET = /^[A-Za-z0-9_-]{1,100}(?:\.[A-Za-z0-9_-]{1,40})?\.(js|css|woff2|svg|txt)$/;
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  woff2: "font/woff2",
  svg: "image/svg+xml",
  txt: "text/plain; charset=utf-8",
};
const HTML = "text/html; charset=utf-8";
const YEAR = "public, max-age=31536000, immutable";
const LANGUAGES = ["en", "de"] as const;
const SCHEMES = ["light", "dark"] as const;
/** Until the build is there. */
const RETRY_SECONDS = 3;

export function mountConsole(server: FastifyInstance, folder: string): void {
  const hide = { schema: { hide: true } };
  const page = (request: FastifyRequest, reply: FastifyReply) => sendPage(folder, request, reply);
  server.get("/console", hide, (_request, reply) => reply.redirect("console/", 308)); // relative: any prefix stays
  server.get("/console/", hide, page);
  server.get("/console/*", hide, page);
  server.get<{ Params: { name: string } }>("/console/assets/:name", hide, (request, reply) =>
    sendAsset(folder, request.params.name, reply),
  );
}

async function sendPage(folder: string, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const nonce = randomBytes(NONCE_OCTETS).toString("base64url");
  reply.type(HTML).header("content-security-policy", policyOf(nonce));
  const page = await textOf(join(folder, "index.html"));
  if (page === undefined) {
    reply.code(503).header("retry-after", String(RETRY_SECONDS)).header("refresh", String(RETRY_SECONDS));
    return reply.send(BEING_BUILT);
  }
  return reply.send(filled(page, nonce, request));
}

/** What of the page differs from request to request. */
function filled(page: string, nonce: string, request: FastifyRequest): string {
  const [path = ""] = request.url.split("?");
  const depth = path.split("/").length - "/console/".split("/").length;
  const cookies = cookiesOf(request);
  const scheme = SCHEMES.find((one) => one === cookies.get("turnup_theme"));
  return page
    .replace("{base}", depth === 0 ? "./" : "../".repeat(depth))
    .replace("{nonce}", nonce)
    .replace('lang="en"', `lang="${languageOf(request, cookies)}"`)
    .replace(
      'data-theme="auto"',
      scheme ? `data-theme="${scheme}" data-mantine-color-scheme="${scheme}"` : 'data-theme="auto"',
    );
}

function languageOf({ headers }: FastifyRequest, cookies: ReadonlyMap<string, string>): string {
  const chosen = LANGUAGES.find((one) => one === cookies.get("turnup_language"));
  if (chosen) return chosen;
  const asked = (headers["accept-language"] ?? "")
    .split(",")
    .map((one) => one.trim().slice(0, 2).toLowerCase());
  return asked.map((one) => LANGUAGES.find((known) => known === one)).find((one) => one) ?? "en";
}

function cookiesOf({ headers }: FastifyRequest): ReadonlyMap<string, string> {
  const pairs = (headers.cookie ?? "").split(";").map((pair) => pair.trim().split("=", 2));
  return new Map(pairs.map(([name = "", value = ""]) => [name, value]));
}

async function sendAsset(folder: string, name: string, reply: FastifyReply): Promise<unknown> {
  const [, ending = ""] = ASSET.exec(name) ?? [];
  const octets = ending === "" ? undefined : await octetsOf(join(folder, "assets", name));
  if (!octets) return reply.callNotFound();
  return reply
    .type(TYPES[ending] ?? "")
    .header("cache-control", YEAR)
    .send(octets);
}

const policyOf = (nonce: string): string =>
  [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
  ].join("; ");

async function textOf(path: string): Promise<string | undefined> {
  return (await octetsOf(path))?.toString("utf8");
}

async function octetsOf(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

const BEING_BUILT =
  '<!doctype html><html lang="en"><meta charset="utf-8"><title>Turnup</title><h1>The console is not built yet</h1>' +
  "<p>If <code>npm start</code> builds it now, this page shows it as soon as it is there. Else: <code>npm run build:web</code></p></html>";
