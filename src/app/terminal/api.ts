/**
 * The API as commands ask it: over HTTP at a server that runs, with a token of the person who asks. What it refuses is told in its own
 * words, with its code.
 */
import { readFileSync } from "node:fs";
import { STATUS_OF } from "../../http/problem.ts";
import { type ErrorCode, TurnupError } from "../../term/error.ts";
import { isOneOf, membersOf, messageOf } from "../../term/narrow.ts";
import { keysOf } from "../../term/record.ts";
import { readConfig } from "../config/config.ts";
import { urlOf } from "../server/address.ts";
import { type CommandContext, type OptionSpec, UsageError } from "./command.ts";

/** Options of every command that asks the API. */
export const API_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--url <url>",
    about: "the server's API (default: TURNUP_URL, or this machine at the configured http.port)",
  },
  {
    flags: "--token-file <file>",
    about: "a file with the token to ask with (default: the variable TURNUP_TOKEN)",
  },
  { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
];

const CODES = keysOf(STATUS_OF);
/** Longer than any answer takes. */
const TIMEOUT_MS = 120_000;
const TOKEN_OCTETS_MAX = 4_096;

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
type ApiBody = {
  readonly mediaType: string;
  readonly octets: AsyncIterable<Uint8Array> | string;
};

type Api = {
  /**
   * The answer's JSON, of the shape that the API's description says; null where it has none.
   * @throws TurnupError what the API refuses, by its code; `dependency_unavailable`: no server answers there
   */
  ask<Answer>(method: Method, path: string, body?: unknown): Promise<Answer>;
  /** As `ask` for a body that is no JSON. */
  send<Answer>(method: Method, path: string, body: ApiBody): Promise<Answer>;
  /** The answer's octets as they come. */
  read(path: string): Promise<AsyncIterable<Uint8Array>>;
};

/** @throws UsageError no token, or one that would go over a network in clear */
export function apiOf(context: CommandContext): Api {
  const base = baseOf(context);
  const authorization = `Bearer ${tokenOf(context)}`;
  const call = async (method: Method, path: string, body?: ApiBody): Promise<Response> => {
    const headers: Record<string, string> = { authorization, accept: "application/json, text/csv" };
    if (method !== "GET") headers["idempotency-key"] = crypto.randomUUID();
    if (body) headers["content-type"] = body.mediaType;
    // Not AbortSignal.timeout: Node's collector takes one that only AbortSignal.any holds, and it never comes.
    const late = new AbortController();
    setTimeout(() => late.abort(new Error(`no answer in ${TIMEOUT_MS / 1_000} seconds`)), TIMEOUT_MS).unref();
    const signal = AbortSignal.any([context.signal, late.signal]);
    const request = { method, headers, signal, redirect: "error", ...(body && bodyOf(body)) } as const;
    const answer = await reached(base, () => fetch(new URL(path.replace(/^\//, ""), base), request));
    if (!answer.ok) throw await refusalOf(answer);
    return answer;
  };
  return {
    async ask(method, path, body) {
      const json =
        body === undefined ? undefined : { mediaType: "application/json", octets: JSON.stringify(body) };
      return jsonOf(await call(method, path, json));
    },
    send: async (method, path, body) => jsonOf(await call(method, path, body)),
    async read(path) {
      return (await call("GET", path)).body ?? (async function* none(): AsyncGenerator<Uint8Array> {})();
    },
  };
}

function bodyOf({ octets }: ApiBody): RequestInit {
  if (typeof octets === "string") return { body: octets };
  return { body: ReadableStream.from(octets), duplex: "half" };
}

async function jsonOf<Answer>(answer: Response): Promise<Answer> {
  const text = await answer.text();
  return JSON.parse(text === "" ? "null" : text);
}

async function reached(base: URL, ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (cause) {
    const why =
      cause instanceof Error && cause.cause !== undefined ? messageOf(cause.cause) : messageOf(cause);
    throw new TurnupError(
      "dependency_unavailable",
      `No server of Turnup answers at ${base.origin}: ${why}.`,
      {
        cause,
        nextStep: "Start one with `turnup serve`, or say where it is with --url or TURNUP_URL.",
      },
    );
  }
}

async function refusalOf(answer: Response): Promise<TurnupError> {
  const { code, detail, nextStep } = membersOf(await jsonOf<unknown>(answer).catch(() => null));
  const known: ErrorCode = isOneOf(CODES, code) ? code : "dependency_unavailable";
  return new TurnupError(
    known,
    typeof detail === "string" ? detail : `The server answered ${answer.status}.`,
    {
      ...(typeof nextStep === "string" && { nextStep }),
    },
  );
}

function baseOf(context: CommandContext): URL {
  const given = context.option("url") ?? context.env.TURNUP_URL;
  if (given !== undefined && !(/^https?:/.test(given) && URL.canParse(given)))
    throw new UsageError("--url is an http or https URL.");
  const base = given === undefined ? ownUrl(context) : new URL(given.endsWith("/") ? given : `${given}/`);
  const isHere = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(base.hostname);
  if (base.protocol === "http:" && !isHere)
    throw new UsageError(
      "The token would go over the network in clear: give an https URL, or ask on the server's machine.",
    );
  return base;
}

function ownUrl(context: CommandContext): URL {
  const { http } = readConfig({ file: context.option("config"), env: context.env }).config;
  const host = ["0.0.0.0", "::"].includes(http.host) ? "127.0.0.1" : http.host;
  return new URL(`${urlOf("http", host, http.port)}/`);
}

function tokenOf(context: CommandContext): string {
  const file = context.option("token-file");
  const token = (file === undefined ? context.env.TURNUP_TOKEN : contentsOf(file))?.trim() ?? "";
  if (token !== "" && !/\s/.test(token)) return token;
  throw new UsageError(
    "A token is needed: in the variable TURNUP_TOKEN, or in a file with --token-file. `turnup token add` makes one.",
  );
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file, "utf8").slice(0, TOKEN_OCTETS_MAX);
  } catch (cause) {
    throw new TurnupError("file_unreadable", `${file} cannot be read: ${messageOf(cause)}.`, {
      cause,
      nextStep: "Check the path and that you may read it.",
    });
  }
}
