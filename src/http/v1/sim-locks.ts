/** Locks of SIMs and devices, for lines of machines: asked for, shown, with what happened to each. */
import Type from "typebox";
import {
  LOCK_ACTIONS,
  LOCK_EVENTS,
  LOCK_SCOPES,
  LOCK_STATES,
  type LockScope,
} from "../../kernel/equipment/sim-lock.ts";
import type { LockAsked } from "../../kernel/equipment/sim-locks.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImsi } from "../../term/imsi.ts";
import { maskIdentifier } from "../../term/mask.ts";
import { answerPage, pageOf } from "../page.ts";
import { ok, route } from "../route.ts";
import {
  id,
  instant,
  instantOrNull,
  named,
  page,
  pageQuery,
  text,
  textOrNull,
  words,
  wordsOrNull,
} from "../schema.ts";

const SIMS_MAX = 1_000;
const GRACE_SECONDS_MAX = 90 * 86_400;
const IMEI_DIGITS = 14;

const SimLock = named(
  "SimLock",
  Type.Object({
    id: id("Of the lock."),
    imsiMasked: Type.String(),
    state: words(
      LOCK_STATES,
      "neutral: none; armed: waits for the first device; locked; deferred: in a foreign device.",
    ),
    scope: words(
      LOCK_SCOPES,
      "What has to be the same: the handset, its model, or that it stands in a list.",
    ),
    expected: textOrNull({ description: "14 digits of the handset, 8 of the model, the list's name." }),
    received: textOrNull({ description: "14 digits of the foreign device." }),
    foreignSince: instantOrNull(),
    graceSeconds: Type.Integer({ description: "For how long a foreign device is let be." }),
    isRefusing: Type.Boolean({ description: "The foreign device is refused." }),
    changedAt: instant(),
    changedBy: Type.String({ description: "Label of a token; `network`: by what networks showed." }),
  }),
);
const SimLockEvent = named(
  "SimLockEvent",
  Type.Object({
    id: Type.String(),
    at: instant(),
    kind: words(LOCK_EVENTS),
    expected: textOrNull(),
    received: textOrNull({ description: "The device that was seen." }),
    source: textOrNull({ description: "Door at which it was seen: s13, eir, gsup, radius." }),
    client: textOrNull(),
    actor: textOrNull({ description: "Who asked." }),
    reason: textOrNull(),
    outcome: textOrNull({ description: "Of a disconnection: ack, nak, none." }),
  }),
);
const shared = { tag: "equipment", status: 200 } as const;

export const listSimLocks = route({
  ...shared,
  method: "GET",
  path: "/v1/sim-locks",
  summary: "Locks of SIMs and devices, newest first, masked",
  roles: ["admin", "engineer", "care"],
  errors: [],
  query: { ...pageQuery, state: Type.Optional(words(LOCK_STATES)) },
  answer: page(SimLock),
  async handle({ simLocks }, { query, caller, request }) {
    const found = await simLocks.list(caller.operatorId, { state: query.state }, pageOf(query));
    return answerPage(found, request);
  },
});

export const askSimLocks = route({
  ...shared,
  method: "POST",
  path: "/v1/sim-locks",
  summary: "Arm, lock, keep, move or unlock the locks of SIMs, each answered for itself",
  description:
    "`arm`: the first device that is seen becomes its own. `lock`: to the device, model or list that `expected` names. A SIM that was seen in a foreign device is unlocked by `keep` (the lock stays with its own device) or `move` (it goes to the foreign one). `unlock`: no lock any more. In force on every server within a second.",
  roles: ["admin", "engineer"],
  errors: ["imsi_malformed"],
  body: Type.Object(
    {
      imsis: Type.Array(text("14 or 15 digits.", 20), { minItems: 1, maxItems: SIMS_MAX }),
      action: words(LOCK_ACTIONS),
      scope: Type.Optional(words(LOCK_SCOPES, "imei unless given.")),
      expected: Type.Optional(text("Of `lock`: a handset (14 to 16 digits), a TAC, a list's name.", 64)),
      graceSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: GRACE_SECONDS_MAX })),
      reason: text("Why; it stands in the audit.", 200),
    },
    { additionalProperties: false },
  ),
  answer: Type.Object({
    results: Type.Array(
      Type.Object({
        imsiMasked: Type.String(),
        outcome: words([...LOCK_ACTIONS, "refused"]),
        state: wordsOrNull(LOCK_STATES),
        reason: textOrNull({ description: "Why not." }),
      }),
    ),
  }),
  async handle({ simLocks }, { body, caller }) {
    const { imsis, action, scope, expected, graceSeconds, reason } = body;
    const wish = { action, scope, expected: expectedIn(scope, expected), graceSeconds };
    const asked: LockAsked[] = [...new Set(imsis.map(parseImsi))].map((imsi) => ({ imsi, ...wish }));
    const said = { actor: caller.label, reason };
    const results = await simLocks.ask(caller.operatorId, asked, said);
    return ok({
      results: results.map(({ imsi, ...one }) => ({ imsiMasked: maskIdentifier(imsi, "imsi"), ...one })),
    });
  },
});

/** A handset's check digit and software version are left out. */
const expectedIn = (scope: LockScope | undefined, expected: string | undefined): string | undefined =>
  (scope ?? "imei") === "imei" && /^\d{14,16}$/.test(expected ?? "")
    ? expected?.slice(0, IMEI_DIGITS)
    : expected;

export const getSimLock = route({
  ...shared,
  method: "GET",
  path: "/v1/sim-locks/:imsi",
  summary:
    "How a SIM's lock stands, with the device that is expected and the one that came, and what happened to it",
  roles: ["admin", "engineer"],
  errors: ["sim_lock_not_found", "imsi_malformed"],
  params: { imsi: text("14 or 15 digits.", 20) },
  answer: Type.Object({ lock: SimLock, events: Type.Array(SimLockEvent) }),
  async handle({ simLocks }, { params, caller }) {
    const imsi = parseImsi(params.imsi);
    const lock = await simLocks.find(caller.operatorId, imsi);
    if (!lock)
      throw new TurnupError("sim_lock_not_found", "This SIM never had a lock.", {
        nextStep: "POST /v1/sim-locks arms one.",
      });
    return ok({ lock, events: [...(await simLocks.events(caller.operatorId, imsi))] });
  },
});
