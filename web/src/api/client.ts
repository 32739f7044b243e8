/** The one way to the server: typed by the API's description, with the header that no other site can set. */
import createClient, { type Middleware } from "openapi-fetch";
import type { paths, schemas } from "./schema.gen.ts";

export type Schemas = schemas;

/** Where the page says it is: `.../console/`; the API stands beside it, behind whatever prefix. */
export const CONSOLE_BASE = new URL(document.baseURI);
const API_BASE = new URL("..", CONSOLE_BASE);

/** What the server refused, or that nothing came back at all (`code` is then `lost`). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly nextStep: string | undefined;
  /** The request's number, by which the server's log names it. */
  readonly instance: string | undefined;
  constructor(status: number, body: Partial<Schemas["Problem"]>) {
    super(body.detail ?? "");
    this.status = status;
    this.code = body.code ?? "lost";
    this.nextStep = body.nextStep;
    this.instance = body.instance;
  }
}

const listeners = new Set<(isLost: boolean) => void>();
/** Tells when answers stop coming, and when they come again. */
export function onConnection(listener: (isLost: boolean) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}
const tell = (isLost: boolean): void => {
  for (const listener of listeners) listener(isLost);
};

const checks: Middleware = {
  onRequest({ request }) {
    request.headers.set("x-turnup-console", "1");
    return request;
  },
  async onResponse({ response }) {
    tell(false);
    if (response.ok) return;
    const body = (await response.json().catch(() => ({}))) as Partial<Schemas["Problem"]>; // a proxy's own error is no problem document
    throw new ApiProblem(response.status, body.code === undefined ? { ...body, code: "fault" } : body);
  },
  onError() {
    tell(true);
    return new ApiProblem(0, {});
  },
};

export const api = createClient<paths>({
  baseUrl: API_BASE.href.replace(/\/$/, ""),
  credentials: "same-origin",
});
api.use(checks);

/** What an answer holds; what was refused was thrown before. */
export async function dataOf<Data>(answer: Promise<{ data?: Data | undefined }>): Promise<NonNullable<Data>> {
  const { data } = await answer;
  if (data === undefined || data === null) throw new ApiProblem(0, { code: "fault" });
  return data;
}

/** New for each thing that somebody does: a repeat of the same request changes nothing. */
export const newKey = (): { readonly header: { readonly "idempotency-key": string } } => ({
  header: { "idempotency-key": crypto.randomUUID() },
});
