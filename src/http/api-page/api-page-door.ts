/**
 * The description of the API to read in a browser: a page and its parts from the installed package. It holds nothing of any operator;
 * what it shows it asks of /openapi.json, which wants a token or the session of the console, as everything does.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { FastifyInstance, FastifyReply } from "fastify";
import { PAGE_HTML, PAGE_SCRIPT, PAGE_STYLE } from "./api-page.ts";

/** Swagger UI writes styles into its elements; nothing else that stands in the page is believed. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");
const TYPES = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  html: "text/html; charset=utf-8",
} as const;
/** Parts of Swagger UI that the page needs. */
export const LIBRARY_PARTS = ["swagger-ui-bundle.js", "swagger-ui.css"] as const;
const HOUR = "private, max-age=3600";

/** @param folder where `LIBRARY_PARTS` are */
export function mountDocs(server: FastifyInstance, folder: string): void {
  const hide = { schema: { hide: true } };
  const part = (path: string, type: keyof typeof TYPES, octets: () => string | Promise<Buffer>): void => {
    server.get(path, hide, async (_request, reply) => sendPart(reply, TYPES[type], await octets()));
  };
  part("/docs", "html", () => PAGE_HTML);
  part("/apidocs/page.js", "js", () => PAGE_SCRIPT);
  part("/apidocs/page.css", "css", () => PAGE_STYLE);
  for (const name of LIBRARY_PARTS)
    part(`/apidocs/${name}`, name.endsWith("css") ? "css" : "js", () => readFile(join(folder, name)));
  server.get("/docs/", hide, (_request, reply) => reply.redirect("../docs", 308)); // relative: any prefix stays
}

const sendPart = (reply: FastifyReply, type: string, octets: string | Buffer): FastifyReply =>
  reply.type(type).header("content-security-policy", POLICY).header("cache-control", HOUR).send(octets);
