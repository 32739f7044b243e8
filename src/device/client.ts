/**
 * The client on the handset: what it does with a WAP push, as decisions over a state that is a plain value.
 *
 *   received -> refused        form, issuer, signature, handset, time (a key); MAC (settings)
 *            -> repeated       ran or applied before: nothing changes, a key's last level is reported again
 *            -> waits for the user, on models that ask, and wherever a PIN is the proof; three tries for a PIN
 *            -> applied        settings into the access points; a key by its session: open, insert, close
 *   a key: opened -> works (its application reached the manufacturer) -> deleted, where its script says so
 *
 * Whoever runs it does what the effects say (shows a prompt, sends a report, lets the application connect) and comes
 * back with the answer. The reports go to where the push came from.
 */
import { createHash, type KeyObject } from "node:crypto";
import { DecodeError } from "../wire/decode-error.ts";
import { hexOf } from "../wire/hex.ts";
import { type DeviceKey, decodeDeviceKey, verifyDeviceKey } from "../wire/message/device-key.ts";
import {
  arrivalProofOf,
  type ReportCause,
  type ReportLevel,
  reportReferenceOf,
  signDeviceReport,
} from "../wire/message/device-report.ts";
import { decodeNokiaOta } from "../wire/nokiaota/codec.ts";
import { decodeProvisioning } from "../wire/omacp/codec.ts";
import { verifyMac } from "../wire/omacp/mac.ts";
import {
  type AccessPointEntry,
  type Applied,
  applyDocument,
  applyNokia,
  entriesOfKey,
  type HandsetSettings,
  insert,
} from "./settings.ts";
import { type PushItem, unwrapPush } from "./unwrap.ts";

const PIN_TRIES = 3;
const MAX_PROMPTS = 4;
const MAX_HELD_KEYS = 4;
const MAX_REMEMBERED = 32;
/** Sixteen SMS and some; a longer push is not for a phone. */
const MAX_PUSH_OCTETS = 4_096;

export type HandsetProtocol = "omacp" | "nokiaota" | "device-key";
export type HandsetConfig = {
  readonly imei: string;
  readonly imsi: string;
  /** How this model opens settings that prove themselves: silently, or after the user agreed. A PIN is always asked for. */
  readonly opensBy: "itself" | "prompt" | "pin";
  readonly takes: readonly HandsetProtocol[];
  /** Whose keys it runs. */
  publicKeyOf(issuer: string): KeyObject | undefined;
};

type Level = Exclude<ReportLevel, "refused">;
export type HandsetState = {
  readonly settings: HandsetSettings;
  readonly heldKeys: readonly { readonly keyId: string; readonly bytes: Uint8Array; readonly from: string }[];
  /** Every key that ran, how far it came, and when; a deleted key stays here as the evidence of it. */
  readonly ranKeys: readonly { readonly keyId: string; readonly level: Level; readonly at: Date }[];
  readonly prompts: readonly Prompt[];
  /** Digests of settings that were applied. */
  readonly appliedDigests: readonly string[];
  readonly nextPrompt: number;
};
type Prompt = {
  readonly id: number;
  readonly needs: "consent" | "pin";
  readonly triesLeft: number;
  readonly from: string;
  readonly digest: string;
  readonly items: readonly Takeable[];
};
type Takeable = Exclude<PushItem, { kind: "unknown" }>;
type SettingsItem = Exclude<Takeable, { kind: "key" }>;
const PROTOCOL = { key: "device-key", settings: "omacp", nokia: "nokiaota" } as const;

export type HandsetEffect =
  | {
      readonly kind: "prompt";
      readonly promptId: number;
      readonly needs: "consent" | "pin";
      readonly triesLeft: number;
    }
  | { readonly kind: "applied"; readonly what: "settings"; readonly entries: readonly AccessPointEntry[] }
  /** The session that a key's script ran, and what its application shall now do. */
  | {
      readonly kind: "applied";
      readonly what: "key";
      readonly keyId: string;
      readonly session: readonly ("opened" | "inserted" | "closed")[];
      readonly entries: readonly AccessPointEntry[];
    }
  | { readonly kind: "connect"; readonly keyId: string; readonly host: string; readonly proof: Uint8Array }
  | { readonly kind: "deleted"; readonly keyId: string; readonly at: Date }
  | { readonly kind: "repeated"; readonly what: "settings" | "key" | "prompt" }
  | {
      readonly kind: "refused";
      readonly what: PushItem["kind"] | "push";
      readonly cause: ReportCause;
      readonly detail: string;
    }
  | { readonly kind: "ignored"; readonly contentType: string }
  | {
      readonly kind: "report";
      readonly to: string;
      readonly level: ReportLevel;
      readonly cause: ReportCause;
      readonly bytes: Uint8Array;
    };
export type Step = { readonly state: HandsetState; readonly effects: readonly HandsetEffect[] };
export type HandsetClient = ReturnType<typeof createHandsetClient>;

/** Factory state: the access points that the phone was sold or set up with. */
export const freshHandset = (accessPoints: readonly AccessPointEntry[] = []): HandsetState => ({
  settings: { accessPoints },
  heldKeys: [],
  ranKeys: [],
  prompts: [],
  appliedDigests: [],
  nextPrompt: 1,
});

export function createHandsetClient(config: HandsetConfig) {
  /** A whole push came, reassembled from its SMS. */
  function receive(
    state: HandsetState,
    { from, bytes, at }: { from: string; bytes: Uint8Array; at: Date },
  ): Step {
    const unwrapped = itemsOf(bytes);
    if ("refused" in unwrapped) return { state, effects: [unwrapped.refused] };
    const effects: HandsetEffect[] = [];
    const items = unwrapped.items.flatMap((item) => screen(state, item, from, at, effects));
    if (items.length === 0) return { state, effects };
    const needs = needsOf(items);
    if (!needs) return after(effects, take(state, items, from, at));
    const digest = digestOf(bytes);
    if (state.prompts.some((prompt) => prompt.digest === digest))
      return { state, effects: [...effects, { kind: "repeated", what: "prompt" }] };
    const prompt: Prompt = { id: state.nextPrompt, needs, triesLeft: PIN_TRIES, from, digest, items };
    return {
      state: {
        ...state,
        nextPrompt: prompt.id + 1,
        prompts: [...state.prompts, prompt].slice(-MAX_PROMPTS),
      },
      effects: [...effects, promptOf(prompt)],
    };
  }

  /** The user dealt with a prompt; one that is gone is nothing. */
  function answer(
    state: HandsetState,
    { promptId, accepted, pin, at }: { promptId: number; accepted: boolean; pin?: string; at: Date },
  ): Step {
    const prompt = state.prompts.find(({ id }) => id === promptId);
    if (!prompt) return { state, effects: [] };
    const others = { ...state, prompts: state.prompts.filter((other) => other !== prompt) };
    if (!accepted)
      return {
        state: others,
        effects: prompt.items.flatMap((item) =>
          refuse(item, "user_refused", "the user said no", prompt.from, at),
        ),
      };
    if (prompt.items.every((item) => provenBy(item, pin)))
      return takeLater(others, prompt.items, prompt.from, at);
    const next = { ...prompt, triesLeft: prompt.triesLeft - 1 };
    if (next.triesLeft > 0)
      return {
        state: { ...state, prompts: state.prompts.map((other) => (other === prompt ? next : other)) },
        effects: [promptOf(next)],
      };
    // The PIN proves the settings only; a key in the same package proves itself.
    const keys = prompt.items.filter(({ kind }) => kind === "key");
    const settings = prompt.items.filter(({ kind }) => kind !== "key");
    const refusals = settings.flatMap((item) =>
      refuse(item, "pin_refused", "three wrong PINs", prompt.from, at),
    );
    return after(refusals, takeLater(others, keys, prompt.from, at));
  }

  /** What became of the connection that a `connect` effect asked for. */
  function connected(
    state: HandsetState,
    { keyId, reached, at }: { keyId: string; reached: boolean; at: Date },
  ): Step {
    const held = state.heldKeys.find((key) => key.keyId === keyId);
    if (!held || !reached) return { state, effects: [] };
    const key = decodeDeviceKey(held.bytes);
    const works = {
      state: leveled(state, keyId, "works", at),
      effects: [reportOf(key, "works", "none", held.from, at)],
    };
    if (!key.script.deleteAfterUse) return works;
    return {
      state: {
        ...leveled(works.state, keyId, "deleted", at),
        heldKeys: state.heldKeys.filter((other) => other !== held),
      },
      effects: [
        ...works.effects,
        { kind: "deleted", keyId, at },
        reportOf(key, "deleted", "none", held.from, at),
      ],
    };
  }

  /** Lets through what may be taken; says why of the rest. Nobody is asked about what proves itself wrong. */
  function screen(
    state: HandsetState,
    item: PushItem,
    from: string,
    at: Date,
    effects: HandsetEffect[],
  ): Takeable[] {
    if (item.kind === "unknown" || !config.takes.includes(PROTOCOL[item.kind])) {
      effects.push({ kind: "ignored", contentType: item.kind === "unknown" ? item.contentType : item.kind });
      return [];
    }
    const found =
      item.kind === "key" ? screenKey(state, item, from, at) : screenSettings(state, item, from, at);
    effects.push(...found);
    return found.length === 0 ? [item] : [];
  }

  function screenKey(
    state: HandsetState,
    item: Extract<Takeable, { kind: "key" }>,
    from: string,
    at: Date,
  ): HandsetEffect[] {
    const verdict = verifyDeviceKey(item.bytes, config.publicKeyOf, config.imei, at);
    if (verdict.kind === "refused") {
      const refused: HandsetEffect = {
        kind: "refused",
        what: "key",
        cause: verdict.reason,
        detail: verdict.detail,
      };
      // A secret that nobody trustworthy signed signs no report.
      return verdict.key ? [refused, reportOf(verdict.key, "refused", verdict.reason, from, at)] : [refused];
    }
    const ran = state.ranKeys.find(({ keyId }) => keyId === hexOf(verdict.key.keyId));
    if (!ran) return [];
    const repeated: HandsetEffect[] = [
      { kind: "repeated", what: "key" },
      reportOf(verdict.key, ran.level, "replayed", from, at),
    ];
    // It never arrived: a message sent again is a reason to try again.
    return ran.level === "opened" ? [...repeated, connectOf(verdict.key)] : repeated;
  }

  function screenSettings(state: HandsetState, item: SettingsItem, from: string, at: Date): HandsetEffect[] {
    if (state.appliedDigests.includes(digestOf(item.document)))
      return [{ kind: "repeated", what: "settings" }];
    if (item.kind === "nokia") return []; // nothing to check: the user decides
    if (item.sec === "netwpin" && !provenBy(item, undefined))
      return refuse(item, "wrong_mac", "the MAC was not made for this SIM", from, at);
    if (item.sec === "usernetwpin" || item.sec === "userpinmac" || item.sec === null)
      return refuse(item, "unsupported", `settings with ${item.sec ?? "no"} authentication`, from, at);
    return [];
  }

  function provenBy(item: Takeable, pin: string | undefined): boolean {
    if (item.kind !== "settings") return true;
    if (item.sec !== "netwpin" && !/^\d{1,16}$/.test(pin ?? "")) return false;
    return verifyMac(item.sec!, item.mac, { imsi: config.imsi, pin }, item.document);
  }

  function needsOf(items: readonly Takeable[]): Prompt["needs"] | undefined {
    if (items.some((item) => item.kind === "settings" && item.sec !== "netwpin")) return "pin";
    const proven = items.every(({ kind }) => kind !== "nokia");
    return config.opensBy === "itself" && proven ? undefined : "consent";
  }

  function take(state: HandsetState, items: readonly Takeable[], from: string, at: Date): Step {
    return items.reduce<Step>(
      (step, item) =>
        after(
          step.effects,
          item.kind === "key"
            ? runKey(step.state, item.bytes, from, at)
            : applySettings(step.state, item, from, at),
        ),
      { state, effects: [] },
    );
  }

  /** The user may have thought for long: a key can have run out meanwhile, or have come by another message. */
  function takeLater(state: HandsetState, items: readonly Takeable[], from: string, at: Date): Step {
    const effects: HandsetEffect[] = [];
    const still = items.filter((item) => {
      const found = item.kind === "key" ? screenKey(state, item, from, at) : [];
      effects.push(...found);
      return found.length === 0;
    });
    return after(effects, take(state, still, from, at));
  }

  /** The key's session. It is a draft until it closes: a phone that loses power in between has inserted nothing. */
  function runKey(state: HandsetState, bytes: Uint8Array, from: string, at: Date): Step {
    const key = decodeDeviceKey(bytes);
    const keyId = hexOf(key.keyId);
    if (state.ranKeys.some((ran) => ran.keyId === keyId))
      return { state, effects: [{ kind: "repeated", what: "key" }] }; // twice in one package
    const { openSession, insertAccessPoints, closeSession } = key.script;
    if (!openSession || !insertAccessPoints || !closeSession)
      return {
        state,
        effects: refuse({ kind: "key", bytes }, "unsupported", "the key's session is not whole", from, at),
      };
    const entries = entriesOfKey(key);
    const ran = { keyId, level: "opened", at } as const;
    return {
      state: {
        ...state,
        settings: insert(state.settings, entries),
        heldKeys: [...state.heldKeys, { keyId, bytes, from }].slice(-MAX_HELD_KEYS),
        ranKeys: [...state.ranKeys, ran].slice(-MAX_REMEMBERED),
      },
      effects: [
        { kind: "applied", what: "key", keyId, session: ["opened", "inserted", "closed"], entries },
        reportOf(key, "opened", "none", from, at),
        connectOf(key),
      ],
    };
  }

  function applySettings(state: HandsetState, item: SettingsItem, from: string, at: Date): Step {
    const applied = documentApplied(state.settings, item);
    if (applied.kind === "refused")
      return { state, effects: refuse(item, applied.cause, applied.detail, from, at) };
    const appliedDigests = [...state.appliedDigests, digestOf(item.document)].slice(-MAX_REMEMBERED);
    return {
      state: { ...state, settings: applied.settings, appliedDigests },
      effects: [{ kind: "applied", what: "settings", entries: applied.entries }],
    };
  }

  return { receive, answer, connected };
}

function itemsOf(bytes: Uint8Array): { readonly items: PushItem[] } | { readonly refused: HandsetEffect } {
  const refused = (detail: string) => ({
    refused: { kind: "refused", what: "push", cause: "malformed", detail } as const,
  });
  if (bytes.length > MAX_PUSH_OCTETS) return refused(`a push longer than ${MAX_PUSH_OCTETS} octets`);
  try {
    return { items: unwrapPush(bytes) };
  } catch (error) {
    if (error instanceof DecodeError) return refused(error.message);
    throw error;
  }
}

function documentApplied(settings: HandsetSettings, { kind, document }: SettingsItem): Applied {
  try {
    return kind === "nokia"
      ? applyNokia(settings, decodeNokiaOta(document))
      : applyDocument(settings, decodeProvisioning(document));
  } catch (error) {
    if (error instanceof DecodeError) return { kind: "refused", cause: "malformed", detail: error.message };
    throw error;
  }
}

/** Refuses with a report where there is a secret to sign it with: settings have none. */
function refuse(item: Takeable, cause: ReportCause, detail: string, to: string, at: Date): HandsetEffect[] {
  const refused: HandsetEffect = { kind: "refused", what: item.kind, cause, detail };
  return item.kind === "key"
    ? [refused, reportOf(decodeDeviceKey(item.bytes), "refused", cause, to, at)]
    : [refused];
}

function reportOf(
  key: DeviceKey,
  level: ReportLevel,
  cause: ReportCause,
  to: string,
  at: Date,
): HandsetEffect {
  const reference = reportReferenceOf(key.keyId);
  const bytes = signDeviceReport({ reference, level, cause, at }, key.confirmSecret);
  return { kind: "report", to, level, cause, bytes };
}

const connectOf = (key: DeviceKey): HandsetEffect => ({
  kind: "connect",
  keyId: hexOf(key.keyId),
  host: key.hosts[0]!,
  proof: arrivalProofOf(key.confirmSecret, key.keyId),
});

const leveled = (state: HandsetState, keyId: string, level: Level, at: Date): HandsetState => ({
  ...state,
  ranKeys: state.ranKeys.map((ran) => (ran.keyId === keyId ? { keyId, level, at } : ran)),
});

const after = (effects: readonly HandsetEffect[], step: Step): Step => ({
  state: step.state,
  effects: [...effects, ...step.effects],
});

const promptOf = ({ id, needs, triesLeft }: Prompt): HandsetEffect => ({
  kind: "prompt",
  promptId: id,
  needs,
  triesLeft,
});

const digestOf = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("base64url");
