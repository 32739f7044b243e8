/**
 * What is known of devices and networks, in memory: the catalog, the rules of support and the access points, and the
 * answers that the conductor and the doors ask of them.
 */
import type { DeviceDescription } from "../../http/ports.ts";
import { runsKeys } from "../../kernel/devices/capability.ts";
import type { Device, DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { Judgement, SettingsChoice, SettingsProtocol } from "../../kernel/order/deps.ts";
import { type OperatorTerms, relationOf } from "../../kernel/order/operator-terms.ts";
import type { OrderDraft, Subscriber } from "../../kernel/order/order-draft.ts";
import { isHost } from "../../kernel/order/unconfirmed.ts";
import type { Network, SettingsQuery } from "../../kernel/settings/access-point.ts";
import type { AccessPointIndex, Found } from "../../kernel/settings/find-settings.ts";
import {
  type ChosenSettings,
  chooseSettings,
  SENDABLE_USES,
  sendablePoints,
  whyNothing,
} from "../../kernel/settings/settings-for.ts";
import { cutOffOn } from "../../kernel/support/cut-off.ts";
import {
  decideSupport,
  type SupportDecision,
  type SupportOverride,
} from "../../kernel/support/decide-support.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import { parseImei, tacOf } from "../../term/imei.ts";
import { type HomePlmnResolver, homePlmnResolver } from "../../term/imsi.ts";
import { plmnOf } from "../../term/plmn.ts";
import type { DeviceKnowledge, OwnDevices } from "./own-devices.ts";

export type Knowledge = {
  /** Over the shipped data. */
  readonly catalog: DeviceCatalog;
  judge(order: Pick<OrderDraft, "id">, subject: Subscriber, terms: OperatorTerms, asOf: Date): Judgement;
  chooseSettings(subject: Subscriber, terms: OperatorTerms): SettingsChoice;
  describe(terms: OperatorTerms, imei: string, asOf: Date): DeviceDescription;
  /** Whether a list that holds for the operator names the model. */
  isNamed(operatorId: string, tac: string): boolean;
  findSettings(query: SettingsQuery, terms: OperatorTerms): Found;
  /** Whether it is known of every model of a make (`*`: of every make) that may take a key that it runs one. */
  runsKeys(operatorId: string, make: string): boolean;
  readonly homePlmnOf: HomePlmnResolver;
  countryOf(mcc: string): string | null;
};

export function createKnowledge(data: {
  /** Over the shipped data. */
  readonly catalog: DeviceCatalog;
  readonly accessPoints: AccessPointIndex;
  readonly networks: readonly Network[];
  readonly sealer: Sealer;
  /** Operators' own imports; without them the shipped data alone speaks. */
  readonly ownDevices?: Pick<OwnDevices, "of">;
}): Knowledge {
  const { catalog } = data;
  const shipped: DeviceKnowledge = { catalog, support: new SupportKnowledge(catalog.data) };
  const devicesOf = ({ operatorId }: OperatorTerms): DeviceKnowledge =>
    data.ownDevices?.of(operatorId) ?? shipped;

  const decide = (device: Device, imei: string, terms: OperatorTerms, asOf: Date): SupportDecision => {
    const relation = relationOf(terms, device.make);
    return decideSupport(
      {
        device,
        policy: terms.policy,
        relation: relation ? { make: relation.make, deal: relation.deal } : null,
        override: overridesOf(data.sealer, terms, device, imei).find(({ verdict }) => verdict) ?? null,
        asOf: asOf.toISOString().slice(0, 10),
      },
      devicesOf(terms).support,
    );
  };

  return {
    catalog,
    judge(_order, subject, terms, asOf) {
      const device = devicesOf(terms).catalog.deviceOf(subject.imei.slice(0, 8));
      const { verdict, reasons } = decide(device, subject.imei, terms, asOf);
      const said = overridesOf(data.sealer, terms, device, subject.imei).find(saysOfKey)?.takesKey;
      const { make, model } = device;
      const protocol = protocolOf(device, terms);
      const cutOff = cutOffOn(device, devicesOf(terms).support, asOf.toISOString().slice(0, 10));
      return { make, model, verdict, reasons, protocol, cutOff, ...keyOf(device, said, protocol, terms) };
    },
    chooseSettings(subject, terms) {
      const query = queryOf(subject);
      const found = data.accessPoints.findSettings(query, terms.accessPoints);
      const chosen = chooseSettings(found, query, SENDABLE_USES, {
        isHost: isHost(terms.kind),
        sendUnconfirmed: terms.policy.sendUnconfirmed,
        ownPlmns: terms.homePlmns,
        mixOwnAndSuggested: true,
      });
      const points = sendablePoints(chosen);
      if (points.length === 0) return { kind: "refused", ...whyNothing(chosen) };
      const isConfirmed = chosen.unconfirmed.length === 0;
      const sources = new Set(Object.values(chosen.chosen).map(({ source }) => source.name));
      return {
        kind: "chosen",
        values: { name: terms.operatorName, points, ...(isConfirmed ? {} : { unconfirmed: true }) },
        confirmed: isConfirmed,
        source: [...sources].join(", "),
        withheld: withheldIn(chosen),
        ...(found.unchecked ? { unchecked: found.unchecked.reason } : {}),
      };
    },
    describe: (terms, text, asOf) => {
      const imei = parseImei(text);
      const device = devicesOf(terms).catalog.deviceOf(tacOf(imei));
      return describe(imei, device, decide(device, imei, terms, asOf));
    },
    isNamed: (operatorId, tac) =>
      (data.ownDevices?.of(operatorId) ?? shipped).catalog.deviceOf(tac).model !== null,
    runsKeys: (operatorId, make) =>
      runsKeys(make, (data.ownDevices?.of(operatorId) ?? shipped).catalog.data.capability.rows),
    findSettings: (query, terms) => data.accessPoints.findSettings(query, terms.accessPoints),
    ...knownNetworks(data.networks),
  };
}

/** What the list of networks says of a SIM: all that sightings need. */
export function knownNetworks(networks: readonly Network[]): Pick<Knowledge, "homePlmnOf" | "countryOf"> {
  const countries = new Map(networks.map(({ mcc, country }) => [mcc, country === "" ? null : country]));
  return {
    homePlmnOf: homePlmnResolver(
      networks.filter(({ mnc }) => /^\d{2,3}$/.test(mnc)).map(({ mcc, mnc }) => plmnOf(mcc, mnc)),
    ),
    countryOf: (mcc) => countries.get(mcc) ?? null,
  };
}

/** The operator's words that fit the device, the most specific first. */
function overridesOf(
  sealer: Sealer,
  terms: OperatorTerms,
  device: Device,
  imei: string,
): readonly SupportOverride[] {
  if (terms.overrides.size === 0) return [];
  const index = sealer.blindIndex("imei", terms.operatorId, imei.slice(0, 14)).toString("hex");
  return [`imei:${index}`, `tac:${device.tac}`, `model:${device.make}/${device.model}`.toLowerCase()].flatMap(
    (key) => terms.overrides.get(key) ?? [],
  );
}

const saysOfKey = ({ takesKey }: SupportOverride): boolean => takesKey !== undefined;

/** Whether the model gets a key: by the operator's word, else by the data, else as the policy says of what nobody knows. */
function keyOf(
  { capability }: Device,
  said: boolean | undefined,
  road: SettingsProtocol,
  { policy }: OperatorTerms,
): Pick<Judgement, "takesKey" | "isKeyKnown" | "whyNoKey"> {
  const word = said === undefined ? capability.deviceKey : said ? "yes" : "no";
  if (word === "yes") return { takesKey: true, isKeyKnown: true };
  if (word === "no")
    return { takesKey: false, isKeyKnown: false, whyNoKey: "this model takes no device key over the air" };
  // A key comes by the same push as settings by OMA CP: where none is sent, a key is not tried either.
  if (policy.tryKeys && road === "omacp") return { takesKey: true, isKeyKnown: false };
  return {
    takesKey: false,
    isKeyKnown: false,
    whyNoKey:
      "it is not known whether this model runs device keys (turnup import capability, or an override, says so)",
  };
}

/** Suggestions that were held back. A use of which nothing is known at all is no news. */
function withheldIn({ withheld }: ChosenSettings): Record<string, string> {
  const held = Object.entries(withheld).filter(([, { code }]) => code === "settings_unconfirmed");
  return Object.fromEntries(held.map(([use, { reason }]) => [use, reason]));
}

/** The protocol that the data names for the model (row 100); where nothing is known, the operator's choice. */
function protocolOf({ capability, form }: Device, { policy }: OperatorTerms): SettingsProtocol {
  if (capability.omaCp === "yes") return "omacp";
  if (capability.nokiaOta === "yes") return "nokiaota";
  if (capability.omaCp === "unknown" && form !== "modem") return policy.unknownProtocol;
  return "link";
}

function queryOf(subject: Subscriber): SettingsQuery {
  const [mcc, mnc] = [subject.homePlmn.slice(0, 3), subject.homePlmn.slice(3)];
  return {
    mcc,
    mnc,
    imsi: subject.imsi,
    ...(subject.gid1 === null ? {} : { gid1: subject.gid1 }),
    ...(subject.spn === null ? {} : { spn: subject.spn }),
    ...(subject.iccid === null ? {} : { iccid: subject.iccid }),
  };
}

function describe(
  imei: string,
  device: Device,
  { verdict, supportEnds, reasons }: SupportDecision,
): DeviceDescription {
  const source = device.source ?? "reporting body and age of the number";
  const version = device.datasetVersion ?? "";
  const fact = (name: string, value: unknown) => ({ name, value, source, version });
  return {
    imei,
    tac: device.tac,
    make: device.make,
    model: device.model,
    modelCodes: device.modelCodes,
    source: device.source,
    dataVersion: device.datasetVersion,
    releasedYear: device.releasedYear,
    ageWindow: device.ageWindow,
    supportEnds,
    verdict,
    reasons,
    facts: [
      fact("form", device.form),
      fact("screen", device.screen),
      fact("networks", device.networks),
      fact("camera", device.camera),
      fact("settingsProtocols", device.capability),
      fact("lifecycle", device.lifecycle),
      fact("conflicts", device.conflicts),
      fact("reportingBody", device.reportingBody),
    ].filter(({ value }) => value !== null),
  };
}
