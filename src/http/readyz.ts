/** GET /readyz: whether the server can work, part by part. */
import Type from "typebox";
import { TurnupError } from "../term/error.ts";
import type { HttpDeps, ReadinessCheck } from "./ports.ts";
import { ok, type Route, route } from "./route.ts";

const CHECK_TIMEOUT_MS = 1_000;
/** Anybody may ask here: however often they do, the parts are asked once in this time. */
const REMEMBERED_MS = 1_000;
/** A server that is starting is waited for: its "not yet" is asked again sooner. */
const REMEMBERED_FAILURE_MS = 100;

type Seen = { readonly atMs: number; rememberedMs: number; readonly checks: Promise<readonly CheckResult[]> };
type CheckResult = { readonly name: string; readonly ok: boolean };

/** A value with a memory, so each server makes its own. */
export function readyz(): Route {
  let seen: Seen | undefined;
  return route({
    method: "GET",
    path: "/readyz",
    summary: "Whether the server can be given work: database reachable, a message centre bound",
    tag: "health",
    roles: "open",
    errors: ["dependency_unavailable"],
    status: 200,
    answer: Type.Object({
      status: Type.Literal("ready"),
      checks: Type.Array(Type.Object({ name: Type.String(), ok: Type.Boolean() })),
      messageCentres: Type.Array(Type.Object({ name: Type.String(), bound: Type.Boolean() }), {
        description: "Ready while one of them is bound: what another takes alone waits for it.",
      }),
      refusals: Type.Array(
        Type.Object({
          machine: Type.String({ description: "What it is for." }),
          since: Type.String({ format: "date-time" }),
        }),
        {
          description:
            "Machines of others that refuse our credentials: what is asked there waits; the log names them.",
        },
      ),
    }),
    async handle({ readiness, messageCentres, refusals, clock }: HttpDeps) {
      const nowMs = clock().getTime();
      if (!seen || nowMs - seen.atMs >= seen.rememberedMs || nowMs < seen.atMs) {
        seen = { atMs: nowMs, rememberedMs: REMEMBERED_MS, checks: Promise.all(readiness.map(resultOf)) };
      }
      const checks = await seen.checks;
      const missing = checks.filter((check) => !check.ok).map(({ name }) => name);
      if (missing.length > 0) {
        seen.rememberedMs = REMEMBERED_FAILURE_MS;
        const refusing = (refusals?.() ?? []).map(
          ({ machine, since }) => `; ${machine} refuses our credentials since ${since.toISOString()}`,
        );
        throw new TurnupError(
          "dependency_unavailable",
          `The server is not ready: ${missing.join(", ")}${refusing.join("")}.`,
          {
            nextStep: "Give this server no work until it is ready; its log says what is missing.",
          },
        );
      }
      return ok({
        status: "ready" as const,
        checks: [...checks],
        messageCentres: [...(messageCentres?.() ?? [])],
        refusals: (refusals?.() ?? []).map(({ machine, since }) => ({ machine, since: since.toISOString() })),
      });
    },
  });
}

async function resultOf({ name, check }: ReadinessCheck): Promise<CheckResult> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("too slow")), CHECK_TIMEOUT_MS);
  });
  try {
    await Promise.race([check(), late]);
    return { name, ok: true };
  } catch {
    return { name, ok: false }; // why is said where the part itself logs; this answer is open to anybody
  } finally {
    clearTimeout(timer);
  }
}
