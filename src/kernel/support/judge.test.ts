/** What decides over a device: the operator's word above the data, the most specific first; the data above the policy. */
import assert from "node:assert/strict";
import { test } from "vitest";
import {
  shippedCatalog as catalog,
  shippedKnowledge as knowledge,
} from "../../../test/fixture/shipped-devices.ts";
import type { Answer } from "../devices/rows.ts";
import { DEFAULT_SUPPORT_POLICY, type SupportOverride } from "./decide-support.ts";
import { judge } from "./judge.ts";
import { overrideOfVerdict, overridesFor, saidOfKey } from "./overrides.ts";

type JudgePolicy = Parameters<typeof judge>[0]["policy"];

/** A Galaxy S3: it takes OMA CP, and its maker left it behind. */
const device = catalog.deviceOf("35341206");
const KEYS = { imeiIndex: "0a0b", tac: device.tac, make: "Samsung", model: "Galaxy S3" };

type Said = {
  readonly deviceKey?: Answer;
  readonly omaCp?: Answer;
  readonly overrides?: readonly SupportOverride[];
  readonly policy?: Partial<JudgePolicy>;
};
const judged = ({ deviceKey = "unknown", omaCp = "yes", overrides = [], policy = {} }: Said = {}) =>
  judge(
    {
      device: {
        ...device,
        capability: { ...device.capability, deviceKey, omaCp, nokiaOta: "no", settingsForm: null },
      },
      overrides,
      relation: null,
      policy: { ...DEFAULT_SUPPORT_POLICY, tryKeys: true, unknownProtocol: "link", ...policy },
      asOf: "2026-11-22",
    },
    knowledge,
  );
const key = (said?: Said) => {
  const { protocol, takesKey, isKeyKnown } = judged(said);
  return [protocol, takesKey, isKeyKnown];
};

test("of an operator's words that fit a device, the handset's own comes first, then its TAC's, then its model's", () => {
  const words = {
    "model:samsung/galaxy s3": { scope: "model" },
    [`tac:${device.tac}`]: { scope: "tac" },
    "imei:0a0b": { scope: "imei" },
    "imei:0c0d": { scope: "imei", note: "another handset" },
    "tac:35972105": { scope: "tac", note: "another TAC" },
    "model:samsung/galaxy s4": { scope: "model", note: "another model" },
  } as const satisfies Record<string, SupportOverride>;
  const fitting = overridesFor(new Map(Object.entries(words)), KEYS);
  assert.deepEqual(
    fitting.map(({ scope, note }) => [scope, note]),
    [
      ["imei", undefined],
      ["tac", undefined],
      ["model", undefined],
    ],
  );
  assert.deepEqual(overridesFor(new Map(), KEYS), []);
});

test("each question looks for its own word: one that is silent on it leaves it to a wider one", () => {
  const words: readonly SupportOverride[] = [
    { scope: "imei", takesKey: false },
    { scope: "tac", verdict: "supported", takesKey: true },
    { scope: "model", verdict: "ended" },
  ];
  assert.equal(overrideOfVerdict(words)?.verdict, "supported");
  assert.equal(saidOfKey(words), false);
  assert.deepEqual([overrideOfVerdict([]), saidOfKey([])], [null, undefined]);
  const { verdict, takesKey } = judged({ overrides: words });
  assert.deepEqual([verdict, takesKey], ["supported", false]);
});

test("an operator's word about keys stands above the data, and leaves the verdict alone", () => {
  const overrides: readonly SupportOverride[] = [{ scope: "tac", takesKey: true }];
  assert.deepEqual(key({ deviceKey: "no", overrides }), ["omacp", true, true]);
  const plain = judged();
  const said = judged({ overrides });
  assert.deepEqual([said.verdict, said.reasons], [plain.verdict, plain.reasons]);
});

test("the data says whether a model runs keys, whatever protocol its settings take", () => {
  assert.deepEqual(key({ deviceKey: "yes", omaCp: "no" }), ["link", true, true]);
  assert.deepEqual(key({ deviceKey: "no" }), ["omacp", false, false]);
  assert.match(judged({ deviceKey: "no" }).whyNoKey ?? "", /takes no device key/);
});

test("a model of which no key is known is tried by the push that brings its settings, where the policy says so", () => {
  assert.deepEqual(key(), ["omacp", true, false]);
  assert.deepEqual(key({ policy: { tryKeys: false } }), ["omacp", false, false]);
  assert.deepEqual(key({ omaCp: "no" }), ["link", false, false]);
  assert.match(judged({ omaCp: "no" }).whyNoKey ?? "", /not known whether this model runs device keys/);
});
