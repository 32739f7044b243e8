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
import { firstOf } from "../term/collections.ts";
import { DecodeError } from "../wire/decode-error.ts";
import { hexOf } from "../wire/hex.ts";
import { verifyDeviceKey } from "../wire/message/device-key.ts";
import { type DeviceKey, decodeDeviceKey } from "../wire/message/device-key-form.ts";
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
import type { HandsetEffect, HandsetState, Level, Prompt, SettingsItem, Step, Takeable } from "./handset.ts";
import { accountIn, type DeviceAccount } from "./management-account.ts";
import {
  type Applied,
  applyDocument,
  applyNokia,
  entriesOfKey,
  type HandsetSettings,
  insert,
} from "./settings.ts";
import { type PushItem, unwrapPush } from "./unwrap.ts";

export { freshHandset, type HandsetEffect, type HandsetState, type Step } from "./handset.ts";

const PIN_TRIES = 3;
const MAX_PROMPTS = 4;
const MAX_HELD_KEYS = 4;
const MAX_REMEMBERED = 32;
/** Sixteen SMS and some; a longer push is not for a phone. */
const MAX_PUSH_OCTETS = 4_096;

const PROTOCOL = { key: "device-key", settings: "omacp", nokia: "nokiaota" } as const;

export type HandsetProtocol = "omacp" | "nokiaota" | "omadm" | "device-key";

export type HandsetConfig = {
  readonly imei: string;
  readonly imsi: string;
  /** How this model opens settings that prove themselves: silently, or after the user agreed. A PIN is always asked for. */
  readonly opensBy: "itself" | "prompt" | "pin";
  readonly takes: readonly HandsetProtocol[];
  /** Whose keys it runs. */
  publicKeyOf(issuer: string): KeyObject | undefined;
};

/** Of a message: its sender, to whom reports go, and when it came or was answered. */
type Came = { readonly from: string; readonly at: Date };
type Push = Came & { readonly bytes: Uint8Array };
type Answer = {
  readonly promptId: number;
  readonly accepted: boolean;
  readonly pin?: string;
  readonly at: Date;
};
type Connected = { readonly keyId: string; readonly reached: boolean; readonly at: Date };

export type HandsetClient = ReturnType<typeof createHandsetClient>;

/** The decisions of one handset. Each takes its state, and gives the new one and the effects. */
export const createHandsetClient = (config: HandsetConfig) => ({
  receive: (state: HandsetState, push: Push): Step => receive(config, state, push),
  answer: (state: HandsetState, given: Answer): Step => answer(config, state, given),
  connected,
});

/** A whole push came, reassembled from its SMS. */
function receive(config: HandsetConfig, state: HandsetState, { from, bytes, at }: Push): Step {
  const unwrapped = itemsOf(bytes);
  if ("refused" in unwrapped) return { state, effects: [unwrapped.refused] };
  const effects: HandsetEffect[] = [];
  const items = unwrapped.items.flatMap((item) => screen(config, state, item, { from, at }, effects));
  if (items.length === 0) return { state, effects };
  const needs = needsOf(config, items);
  if (!needs) return after(effects, take(config, state, items, { from, at }));
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
function answer(config: HandsetConfig, state: HandsetState, { promptId, accepted, pin, at }: Answer): Step {
  const prompt = state.prompts.find(({ id }) => id === promptId);
  if (!prompt) return { state, effects: [] };
  const came: Came = { from: prompt.from, at };
  const others = { ...state, prompts: state.prompts.filter((other) => other !== prompt) };
  if (!accepted)
    return {
      state: others,
      effects: prompt.items.flatMap((item) => refuse(item, "user_refused", "the user said no", came)),
    };
  if (prompt.items.every((item) => provenBy(config, item, pin)))
    return takeLater(config, others, prompt.items, came);
  const next = { ...prompt, triesLeft: prompt.triesLeft - 1 };
  if (next.triesLeft > 0)
    return {
      state: { ...state, prompts: state.prompts.map((other) => (other === prompt ? next : other)) },
      effects: [promptOf(next)],
    };
  // The PIN proves the settings only; a key in the same package proves itself.
  const keys = prompt.items.filter(({ kind }) => kind === "key");
  const settings = prompt.items.filter(({ kind }) => kind !== "key");
  const refusals = settings.flatMap((item) => refuse(item, "pin_refused", "three wrong PINs", came));
  return after(refusals, takeLater(config, others, keys, came));
}

/** What became of the connection that a `connect` effect asked for. */
function connected(state: HandsetState, { keyId, reached, at }: Connected): Step {
  const held = state.heldKeys.find((key) => key.keyId === keyId);
  if (!held || !reached) return { state, effects: [] };
  const key = decodeDeviceKey(held.bytes);
  const came: Came = { from: held.from, at };
  const works = {
    state: leveled(state, keyId, "works", at),
    effects: [reportOf(key, "works", "none", came)],
  };
  if (!key.script.deleteAfterUse) return works;
  return {
    state: {
      ...leveled(works.state, keyId, "deleted", at),
      heldKeys: state.heldKeys.filter((other) => other !== held),
    },
    effects: [...works.effects, { kind: "deleted", keyId, at }, reportOf(key, "deleted", "none", came)],
  };
}

/** Lets through what may be taken; says why of the rest. Nobody is asked about what proves itself wrong. */
function screen(
  config: HandsetConfig,
  state: HandsetState,
  item: PushItem,
  came: Came,
  effects: HandsetEffect[],
): Takeable[] {
  if (item.kind === "unknown" || !config.takes.includes(PROTOCOL[item.kind])) {
    effects.push({ kind: "ignored", contentType: item.kind === "unknown" ? item.contentType : item.kind });
    return [];
  }
  const found =
    item.kind === "key" ? screenKey(config, state, item, came) : screenSettings(config, state, item, came);
  effects.push(...found);
  return found.length === 0 ? [item] : [];
}

function screenKey(
  config: HandsetConfig,
  state: HandsetState,
  item: Extract<Takeable, { kind: "key" }>,
  came: Came,
): HandsetEffect[] {
  const verdict = verifyDeviceKey(item.bytes, config.publicKeyOf, config.imei, came.at);
  if (verdict.kind === "refused") {
    const refused: HandsetEffect = {
      kind: "refused",
      what: "key",
      cause: verdict.reason,
      detail: verdict.detail,
    };
    // A secret that nobody trustworthy signed signs no report.
    return verdict.key ? [refused, reportOf(verdict.key, "refused", verdict.reason, came)] : [refused];
  }
  const ran = state.ranKeys.find(({ keyId }) => keyId === hexOf(verdict.key.keyId));
  if (!ran) return [];
  const repeated: HandsetEffect[] = [
    { kind: "repeated", what: "key" },
    reportOf(verdict.key, ran.level, "replayed", came),
  ];
  // It never arrived: a message sent again is a reason to try again.
  return ran.level === "opened" ? [...repeated, connectOf(verdict.key)] : repeated;
}

function screenSettings(
  config: HandsetConfig,
  state: HandsetState,
  item: SettingsItem,
  came: Came,
): HandsetEffect[] {
  if (state.appliedDigests.includes(digestOf(item.document))) return [{ kind: "repeated", what: "settings" }];
  if (item.kind === "nokia") return []; // nothing to check: the user decides
  if (item.sec === "netwpin" && !provenBy(config, item, undefined))
    return refuse(item, "wrong_mac", "the MAC was not made for this SIM", came);
  if (item.sec === "usernetwpin" || item.sec === "userpinmac" || item.sec === null)
    return refuse(item, "unsupported", `settings with ${item.sec ?? "no"} authentication`, came);
  return [];
}

function provenBy(config: HandsetConfig, item: Takeable, pin: string | undefined): boolean {
  if (item.kind !== "settings") return true;
  if (item.sec === null || (item.sec !== "netwpin" && !/^\d{1,16}$/.test(pin ?? ""))) return false;
  return verifyMac(item.sec, item.mac, { imsi: config.imsi, pin }, item.document);
}

function needsOf(config: HandsetConfig, items: readonly Takeable[]): Prompt["needs"] | undefined {
  if (items.some((item) => item.kind === "settings" && item.sec !== "netwpin")) return "pin";
  const proven = items.every(({ kind }) => kind !== "nokia");
  return config.opensBy === "itself" && proven ? undefined : "consent";
}

function take(config: HandsetConfig, state: HandsetState, items: readonly Takeable[], came: Came): Step {
  return items.reduce<Step>(
    (step, item) =>
      after(
        step.effects,
        item.kind === "key"
          ? runKey(step.state, item.bytes, came)
          : applySettings(config, step.state, item, came),
      ),
    { state, effects: [] },
  );
}

/** The user may have thought for long: a key can have run out meanwhile, or have come by another message. */
function takeLater(config: HandsetConfig, state: HandsetState, items: readonly Takeable[], came: Came): Step {
  const effects: HandsetEffect[] = [];
  const still = items.filter((item) => {
    const found = item.kind === "key" ? screenKey(config, state, item, came) : [];
    effects.push(...found);
    return found.length === 0;
  });
  return after(effects, take(config, state, still, came));
}

/** The key's session. It is a draft until it closes: a phone that loses power in between has inserted nothing. */
function runKey(state: HandsetState, bytes: Uint8Array, came: Came): Step {
  const key = decodeDeviceKey(bytes);
  const keyId = hexOf(key.keyId);
  if (state.ranKeys.some((ran) => ran.keyId === keyId))
    return { state, effects: [{ kind: "repeated", what: "key" }] }; // twice in one package
  const { openSession, insertAccessPoints, closeSession } = key.script;
  if (!openSession || !insertAccessPoints || !closeSession)
    return {
      state,
      effects: refuse({ kind: "key", bytes }, "unsupported", "the key's session is not whole", came),
    };
  const entries = entriesOfKey(key);
  const ran = { keyId, level: "opened", at: came.at } as const;
  return {
    state: {
      ...state,
      settings: insert(state.settings, entries),
      heldKeys: [...state.heldKeys, { keyId, bytes, from: came.from }].slice(-MAX_HELD_KEYS),
      ranKeys: [...state.ranKeys, ran].slice(-MAX_REMEMBERED),
    },
    effects: [
      { kind: "applied", what: "key", keyId, session: ["opened", "inserted", "closed"], entries },
      reportOf(key, "opened", "none", came),
      connectOf(key),
    ],
  };
}

function applySettings(config: HandsetConfig, state: HandsetState, item: SettingsItem, came: Came): Step {
  const { account, applied } = documentApplied(config, state.settings, item);
  if (applied.kind === "refused")
    return { state, effects: refuse(item, applied.cause, applied.detail, came) };
  const appliedDigests = [...state.appliedDigests, digestOf(item.document)].slice(-MAX_REMEMBERED);
  return {
    state: { ...state, settings: applied.settings, appliedDigests },
    effects: [{ kind: "applied", what: "settings", entries: applied.entries, ...(account && { account }) }],
  };
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

/** A handset that is managed by OMA DM takes the account of its server too. */
function documentApplied(
  { takes }: HandsetConfig,
  settings: HandsetSettings,
  { kind, document }: SettingsItem,
): { readonly applied: Applied; readonly account?: DeviceAccount | undefined } {
  try {
    if (kind === "nokia") return { applied: applyNokia(settings, decodeNokiaOta(document)) };
    const provisioning = decodeProvisioning(document);
    const account = takes.includes("omadm") ? accountIn(provisioning) : undefined;
    return { applied: applyDocument(settings, provisioning, account !== undefined), account };
  } catch (error) {
    if (error instanceof DecodeError)
      return { applied: { kind: "refused", cause: "malformed", detail: error.message } };
    throw error;
  }
}

/** Refuses with a report where there is a secret to sign it with: settings have none. */
function refuse(item: Takeable, cause: ReportCause, detail: string, came: Came): HandsetEffect[] {
  const refused: HandsetEffect = { kind: "refused", what: item.kind, cause, detail };
  return item.kind === "key"
    ? [refused, reportOf(decodeDeviceKey(item.bytes), "refused", cause, came)]
    : [refused];
}

function reportOf(key: DeviceKey, level: ReportLevel, cause: ReportCause, came: Came): HandsetEffect {
  const reference = reportReferenceOf(key.keyId);
  const bytes = signDeviceReport({ reference, level, cause, at: came.at }, key.confirmSecret);
  return { kind: "report", to: came.from, level, cause, bytes };
}

const connectOf = (key: DeviceKey): HandsetEffect => ({
  kind: "connect",
  keyId: hexOf(key.keyId),
  host: firstOf(key.hosts),
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
