/** One operation of a CAMARA API: what it wants of whoever asks, and what it is answered with. */
import type { Counter } from "prom-client";
import type { Access } from "../../kernel/exposure/access.ts";
import type { LineReader } from "../../kernel/exposure/line.ts";
import type { Allowance } from "../allowance.ts";

export type CamaraDeps = {
  readonly lines: LineReader;
  clock(): Date;
  monotonicMs(): number;
  /** @throws RefusalError `UNAUTHENTICATED`, `INVALID_TOKEN_CONTEXT` */
  accessOf(authorization: string | undefined): Promise<Access>;
  /** How far back changes are told, in days; null: without end. */
  readonly monitoredDays: number | null;
  /** Make and model as people know them; null where nobody does. */
  typeOf(operatorId: string, imei: string): { readonly make: string; readonly model: string } | null;
  /** One name a handset and client, from which neither the handset nor another client's name can be told. */
  pseudonymOf(client: { readonly operatorId: string; readonly clientId: string }, imei: string): string;
  readonly perClient: Allowance;
  readonly answered: Counter<"operation" | "code">;
  onFault(error: unknown): void;
};

/** One operation: what it wants and what it gives. `body` is an object, or empty where there is none. */
export type CamaraOperation = {
  readonly method: "GET" | "POST";
  readonly path: string;
  /** One of them is enough. */
  readonly scopes: readonly string[];
  answer(
    deps: CamaraDeps,
    access: Access,
    body: Readonly<Record<string, unknown>>,
  ): Promise<Readonly<Record<string, unknown>>>;
};
