/** ETag and If-Match on what can be edited (RFC 9110 clauses 8.8.3 and 13.1.1). */
import { createHash } from "node:crypto";
import type { FastifyRequest } from "fastify";
import { TurnupError } from "../term/error.ts";

export const versionEtag = (version: number): string => `"${version}"`;

/** Undefined of what is not there. */
export const versionEtagOf = (version: number | undefined): string | undefined =>
  version === undefined ? undefined : versionEtag(version);

/** Of a value without a version of its own. Its members stand in the order that the store gives them. */
export const contentEtag = (value: unknown): string =>
  `"${createHash("sha256").update(JSON.stringify(value, plainBigint)).digest("base64url").slice(0, 22)}"`;

const plainBigint = (_name: string, value: unknown): unknown =>
  typeof value === "bigint" ? String(value) : value;

/** The entity tags that the caller wants to find, or undefined where it does not say; `*` is any that exists. */
export function ifMatchOf(request: FastifyRequest): readonly string[] | undefined {
  const header = request.headers["if-match"];
  return header === undefined ? undefined : header.split(",").map((tag) => tag.trim());
}

/** @throws TurnupError `precondition_required` */
export function requiredIfMatch(request: FastifyRequest): readonly string[] {
  const tags = ifMatchOf(request);
  if (tags) return tags;
  throw new TurnupError("precondition_required", "This change needs an If-Match header.", {
    nextStep: "GET it first and send its ETag as If-Match.",
  });
}

export const isAmong = (tags: readonly string[], etag: string | undefined): boolean =>
  etag !== undefined && (tags.includes(etag) || tags.includes("*"));

export const changedMeanwhile = (): TurnupError =>
  new TurnupError("precondition_failed", "It was changed since you read it, or is not there.", {
    nextStep: "GET it again, look at what changed, and repeat your change with the new ETag.",
  });
