/** Which models get a key: by the data, by the operator's word above it, and by the policy where nobody knows. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { CapabilityRow, DeviceDatasets } from "../../kernel/devices/rows.ts";
import type { OperatorTerms } from "../../kernel/operator/operator-terms.ts";
import { DEFAULT_POLICY } from "../../kernel/operator/policy.ts";
import type { OrderDraft, Subscriber } from "../../kernel/order/order-draft.ts";
import { createAccessPointIndex } from "../../kernel/settings/find-settings.ts";
import type { SupportOverride } from "../../kernel/support/decide-support.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { createSealer } from "../../store/seal/seal.ts";
import { createKnowledge } from "./knowledge.ts";

const sealer = createSealer(Buffer.alloc(32, 1));
const shipped = readShippedDatasets();
const OPERATOR = "operator";
/** A Galaxy S3, which takes OMA CP. */
const IMEI = "353412060000006";
const TAC = IMEI.slice(0, 8);

/** The lists with one model more, at a TAC that no list has. */
const NEW_TAC = "86999999";
function ofModel({ chipset = "", camera = "" }): Pick<DeviceDatasets, "tac" | "facts"> {
  const row = {
    tac: NEW_TAC,
    make: "Tecno",
    model: "Spark 5",
    modelCodes: [],
    names: [],
    aka: [],
    upstreamSource: "",
    listedYear: null,
    releasedYear: 2020,
    suspect: false,
  };
  const fact = {
    make: "Tecno",
    name: "Spark 5",
    modelCodes: [],
    released: "2020-05-01",
    form: "phone",
    networks: [],
    widthPx: null,
    heightPx: null,
    inch: null,
    bands: [],
    chipset,
    camera,
    blockedUses: [],
    blockedSource: "",
  };
  const ref = { ...shipped.facts.ref, name: "test" };
  return {
    tac: [{ ref, rows: [row] }, ...shipped.tac],
    facts: { ...shipped.facts, rows: [...shipped.facts.rows, fact] },
  };
}

function judge(
  setup: {
    readonly samsung?: Partial<CapabilityRow>;
    readonly overrides?: Readonly<Record<string, Omit<SupportOverride, "scope">>>;
    readonly tryKeys?: boolean;
    readonly imei?: string;
    readonly unknownProtocol?: "omacp" | "link";
    /** Of a model of a maker that no list tells anything of. */
    readonly chipset?: string;
  } = {},
) {
  const data: DeviceDatasets = {
    ...shipped,
    ...(setup.chipset !== undefined && ofModel({ chipset: setup.chipset })),
    capability: {
      ...shipped.capability,
      rows: shipped.capability.rows.map((row) =>
        row.make === "Samsung" ? { ...row, ...setup.samsung } : row,
      ),
    },
  };
  const knowledge = createKnowledge({
    catalog: new DeviceCatalog(data),
    accessPoints: createAccessPointIndex([], [], []),
    networks: [],
    sealer,
  });
  const overrides = Object.entries(setup.overrides ?? {}).map(
    ([key, said]) => [key, { ...said, scope: key.slice(0, key.indexOf(":")) }] as [string, SupportOverride],
  );
  const terms: OperatorTerms = {
    operatorId: OPERATOR,
    operatorSlug: "meridian",
    operatorName: "Meridian",
    kind: "mno",
    homePlmns: [],
    policy: {
      ...DEFAULT_POLICY,
      tryKeys: setup.tryKeys ?? true,
      unknownProtocol: setup.unknownProtocol ?? "link",
    },
    policyVersion: 1,
    relations: new Map(),
    accessPoints: [],
    overrides: new Map(overrides),
  };
  const subject = { imei: setup.imei ?? IMEI } as Subscriber;
  return knowledge.judge({} as OrderDraft, subject, terms, new Date("2026-11-29"));
}
const taken = (setup?: Parameters<typeof judge>[0]) => {
  const { protocol, takesKey, isKeyKnown } = judge(setup);
  return [protocol, takesKey, isKeyKnown];
};

test("a model that takes OMA CP and of which no key is known is tried, and counts as unproved; or is not, as the policy says", () => {
  assert.deepEqual(taken(), ["omacp", true, false]);
  assert.deepEqual(taken({ tryKeys: false }), ["omacp", false, false]);
  assert.match(
    judge({ tryKeys: false }).whyNoKey ?? "",
    /it is not known whether this model runs device keys/,
  );
});

test("a model that no list names is tried where the operator sends such models settings by OMA CP", () => {
  const imei = "869999990000009";
  assert.deepEqual(taken({ imei }), ["link", false, false]);
  assert.deepEqual(taken({ imei, unknownProtocol: "omacp" }), ["omacp", true, false]);
  assert.deepEqual(taken({ imei, unknownProtocol: "omacp", tryKeys: false }), ["omacp", false, false]);
});

test("the data decides, whatever road settings take", () => {
  assert.deepEqual(taken({ samsung: { deviceKey: "no" } }), ["omacp", false, false]);
  assert.deepEqual(taken({ samsung: { deviceKey: "yes" } }), ["omacp", true, true]);
  const takesNone = { omaCp: "no", settingsForm: null } as const;
  assert.deepEqual(taken({ samsung: { deviceKey: "yes", ...takesNone } }), ["link", true, true]);
  assert.deepEqual(taken({ samsung: takesNone }), ["link", false, false], "no push is known to arrive");
});

test("an operator's word about a device stands above the data, the most specific first, and leaves the verdict alone", () => {
  const model = `model:samsung/${judge().model?.toLowerCase()}`;
  const tac = `tac:${TAC}`;
  assert.deepEqual(taken({ overrides: { [model]: { takesKey: true } } }), ["omacp", true, true]);
  assert.deepEqual(taken({ overrides: { [model]: { takesKey: true }, [tac]: { takesKey: false } } }), [
    "omacp",
    false,
    false,
  ]);
  const said = judge({ overrides: { [tac]: { takesKey: true } } });
  assert.deepEqual([said.verdict, said.reasons], [judge().verdict, judge().reasons]);
  const both = judge({ overrides: { [tac]: { takesKey: true }, [model]: { verdict: "supported" } } });
  assert.deepEqual([both.verdict, both.isKeyKnown], ["supported", true], "each word is looked for by itself");
});

test("settings go by OMA CP where the chipset says that the model takes them, and the record says why (R125)", () => {
  const imei = `${NEW_TAC}0000009`;
  const without = judge({ imei, chipset: "Qualcomm MSM8939 Snapdragon 615" });
  assert.deepEqual([without.make, without.protocol, without.protocolBecause], ["Tecno", "link", undefined]);
  const { protocol, protocolBecause } = judge({ imei, chipset: "MediaTek MT6761" });
  assert.equal(protocol, "omacp");
  assert.match(protocolBecause ?? "", /^its chipset, MediaTek MT6761: /);
});

test("a model is without a camera where a list says so, and else has whatever is asked for", () => {
  const knows = (camera: string) =>
    createKnowledge({
      catalog: new DeviceCatalog({ ...shipped, ...ofModel({ camera }) }),
      accessPoints: createAccessPointIndex([], [], []),
      networks: [],
      sealer,
    }).lackOf(OPERATOR, NEW_TAC, { hardware: ["camera"] });
  assert.deepEqual(["none", "", "5 MP"].map(knows), ["camera", undefined, undefined]);
});
