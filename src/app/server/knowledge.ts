/**
 * What is known of devices and networks, in memory: the catalog, the rules of support and the access points, and the
 * answers that the conductor and the doors ask of them.
 */
import type { DeviceDescription } from "../../http/ports.ts";
import { runsKeys } from "../../kernel/devices/capability.ts";
import type { Device, DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { displayOf } from "../../kernel/devices/device-class.ts";
import { type HardwareNeeds, type Lack, lackOf } from "../../kernel/devices/hardware.ts";
import type { PhoneMenuRow } from "../../kernel/devices/phone-menus.ts";
import { tacsOfModels } from "../../kernel/devices/tacs-of-models.ts";
import type { OurWord } from "../../kernel/operator/comparison.ts";
import { type OperatorTerms, relationOf } from "../../kernel/operator/operator-terms.ts";
import { type OrderPolicy, policyIn } from "../../kernel/operator/policy.ts";
import {
  type SettingsChoice,
  settingsChoiceOf,
  settingsQueryOf,
  withWireless,
} from "../../kernel/operator/settings-choice.ts";
import type { OrderDraft, Subscriber } from "../../kernel/order/order-draft.ts";
import type { Network, SettingsQuery } from "../../kernel/settings/access-point.ts";
import type { AccessPointIndex, Found } from "../../kernel/settings/find-settings.ts";
import { withUse } from "../../kernel/settings/suggest.ts";
import type { UseRecord } from "../../kernel/settings/use-record.ts";
import { wirelessFor } from "../../kernel/settings/wireless-network.ts";
import type {
  SupportDecision,
  SupportOverride,
  SupportVerdict,
} from "../../kernel/support/decide-support.ts";
import { type Judgement, type JudgeQuestion, judge, supportOf } from "../../kernel/support/judge.ts";
import { blockedOn, overridesFor } from "../../kernel/support/overrides.ts";
import { type FailedPolicyTest, failedTests, type PolicyTest } from "../../kernel/support/policy-tests.ts";
import { SupportKnowledge } from "../../kernel/support/support-knowledge.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import { parseImei } from "../../term/imei.ts";
import type { HomePlmnOf } from "../../term/imsi.ts";
import { type AccessPointKnowledge, accessPointKnowledge } from "./access-point-knowledge.ts";
import {
  type DeviceKnowledge,
  type NetworkKnowledge,
  networkKnowledge,
  type OwnDevices,
} from "./own-devices.ts";

const TAC_DIGITS = 8;
/** What of an IMEI never varies: without its check digit. */
const IMEI_INDEX_DIGITS = 14;

export type Knowledge = AccessPointKnowledge & {
  /** Over the shipped data. */
  readonly catalog: DeviceCatalog;
  judge(
    order: Pick<OrderDraft, "id" | "servingPlmn">,
    subject: Subscriber,
    terms: OperatorTerms,
    asOf: Date,
  ): Judgement;
  chooseSettings(subject: Subscriber, terms: OperatorTerms): SettingsChoice;
  describe(terms: OperatorTerms, imei: string, asOf: Date): DeviceDescription;
  /** What the rules say of a TAC, or of the one handset whose blind index is given, under the terms as they hold in a market. */
  decide(terms: OperatorTerms, asked: AskedTac): SupportDecision;
  /** As `decide`, of no handset in particular and of no market, with what is known of the model and who names it. */
  explain(terms: OperatorTerms, tac: string, asOf: string): OurWord;
  /** Those of the tests of a policy that fail under it, with all else that the operator said. */
  failingTests(terms: OperatorTerms, policy: OrderPolicy, asOf: Date): readonly FailedPolicyTest[];
  /** What the model shows, as the land leg says it; null where nothing is known of it. */
  displayOf(operatorId: string, imei: string): string | null;
  /** What the rules say of a TAC, by the lists that hold for the operator, or by others. */
  verdictOf(terms: OperatorTerms, tac: string, asOf: Date, devices?: DeviceKnowledge): SupportVerdict;
  /** What the lists that hold for the operator say of a TAC; of one that none names, when such numbers were given out. */
  deviceOf(operatorId: string, tac: string): Device;
  /** Where makers' menus hide access points, by the lists that hold for the operator. */
  menusOf(operatorId: string): readonly PhoneMenuRow[];
  /** What the model is without of what is needed, by the lists that hold for the operator. */
  lackOf(operatorId: string, tac: string, needs: HardwareNeeds): Lack | undefined;
  findSettings(query: SettingsQuery, terms: OperatorTerms): Found;
  /** Whether it is known of every model of a make (`*`: of every make) that may take a key that it runs one. */
  runsKeys(operatorId: string, make: string): boolean;
  /** By what the operator says of networks, over the shipped list. */
  readonly homePlmnOf: HomePlmnOf;
  /** ISO 3166 country of an MCC, by what the operator says, over the shipped list. */
  countryOf(mcc: string, operatorId: string | undefined): string | null;
  /** ISO 3166 country that a network covers, by what the operator says, over the shipped list; null where it tells no place. */
  countryOfNetwork(plmn: string, operatorId: string): string | null;
};

type AskedTac = {
  readonly tac: string;
  /** Hexadecimal; empty: of no handset in particular. */
  readonly imeiIndex: string;
  readonly market: string | null;
  /** ISO date. */
  readonly asOf: string;
};

export function createKnowledge(data: {
  /** Over the shipped data. */
  readonly catalog: DeviceCatalog;
  readonly accessPoints: AccessPointIndex;
  readonly networks: readonly Network[];
  readonly sealer: Sealer;
  /** What was seen of access points in use by an operator's SIMs; without it nothing was. */
  readonly useRecordsOf?: (operatorId: string) => readonly UseRecord[];
  /** Operators' own imports; without them the shipped data alone speaks. */
  readonly ownDevices?: Pick<OwnDevices, "of" | "networksOf">;
}): Knowledge {
  const { catalog, useRecordsOf = () => [] } = data;
  const networksOf = networksKnown(data);
  const shipped: DeviceKnowledge = { catalog, support: new SupportKnowledge(catalog.data) };
  const knownTo = (operatorId: string): DeviceKnowledge => data.ownDevices?.of(operatorId) ?? shipped;
  const devicesOf = ({ operatorId }: OperatorTerms): DeviceKnowledge => knownTo(operatorId);

  /** What is known for a SIM; what failed for the operator's SIMs again and again is no first choice. */
  const find = (query: SettingsQuery, terms: OperatorTerms): Found =>
    withUse(
      networksOf(terms.operatorId).index.findSettings(query, terms.accessPoints),
      useRecordsOf(terms.operatorId),
      query,
    );

  /** A device as the rules ask about it: with the operator's words that fit it, and its relation to the maker. */
  const question = (
    imei: string,
    terms: OperatorTerms,
    asOf: Date,
    devices = devicesOf(terms),
  ): JudgeQuestion => {
    const device = devices.catalog.deviceOf(imei.slice(0, TAC_DIGITS));
    const relation = relationOf(terms, device.make);
    return {
      device,
      overrides: wordsFor(terms, device, imei),
      relation: relation ? { make: relation.make, deal: relation.deal } : null,
      policy: terms.policy,
      asOf: asOf.toISOString().slice(0, 10),
    };
  };

  /** Most operators have none: then no index is made. */
  const wordsFor = (terms: OperatorTerms, device: Device, imei: string): readonly SupportOverride[] => {
    if (terms.overrides.size === 0) return [];
    const index = data.sealer.blindIndex("imei", terms.operatorId, imei.slice(0, IMEI_INDEX_DIGITS));
    return overridesFor(terms.overrides, { ...device, imeiIndex: index.toString("hex") });
  };

  return {
    catalog,
    judge(order, subject, terms, asOf) {
      const plmn = order.servingPlmn ?? subject.homePlmn;
      const network = { plmn, bands: networksOf(terms.operatorId).bands.get(plmn) ?? [] };
      return judge({ ...question(subject.imei, terms, asOf), network }, devicesOf(terms).support);
    },
    chooseSettings(subject, terms) {
      const device = devicesOf(terms).catalog.deviceOf(subject.imei.slice(0, TAC_DIGITS));
      const query = { ...settingsQueryOf(subject), make: device.make, model: device.model };
      const blocked = blockedOn(device, wordsFor(terms, device, subject.imei));
      const found = find(query, terms);
      const choice = settingsChoiceOf(found, query, terms, blocked);
      return withWireless(choice, wirelessFor(terms.wirelessNetworks ?? [], device));
    },
    displayOf: (operatorId, imei) => shownBy(knownTo(operatorId), imei),
    describe: (terms, text, asOf) => {
      const imei = parseImei(text);
      const asked = question(imei, terms, asOf);
      return describe(imei, asked.device, supportOf(asked, devicesOf(terms).support));
    },
    decide: (terms, asked) => decide(devicesOf(terms), terms, asked),
    explain: (terms, tac, asOf) => explain(devicesOf(terms), terms, tac, asOf),
    verdictOf: (terms, tac, asOf, devices = devicesOf(terms)) =>
      supportOf(question(tac, terms, asOf, devices), devices.support).verdict,
    failingTests: (terms, policy, today) =>
      failing(devicesOf(terms), policy, (number, market, asOf) =>
        question(number, { ...terms, policy: policyIn(policy, market) }, asOf ?? today),
      ),
    deviceOf: (operatorId, tac) => knownTo(operatorId).catalog.deviceOf(tac),
    menusOf: (operatorId) => knownTo(operatorId).catalog.data.menus.rows,
    lackOf: (operatorId, tac, needs) => lackOf(needs, knownTo(operatorId).catalog.deviceOf(tac)),
    runsKeys: (operatorId, make) => runsKeys(make, knownTo(operatorId).catalog.data.capability.rows),
    findSettings: find,
    ...accessPointKnowledge({ networksOf, useRecordsOf, find, devicesOf, wordsFor, question }),
    ...placesKnown(networksOf),
  };
}

type Networks = Pick<Parameters<typeof createKnowledge>[0], "accessPoints" | "networks" | "ownDevices">;

/** Of nobody in particular, and of an operator that says nothing of networks, the shipped lists. */
function networksKnown({ networks, accessPoints, ownDevices }: Networks) {
  const shipped = networkKnowledge(networks, accessPoints);
  return (operatorId: string | undefined): NetworkKnowledge =>
    (operatorId === undefined ? undefined : ownDevices?.networksOf(operatorId)) ?? shipped;
}

const placesKnown = (
  of: ReturnType<typeof networksKnown>,
): Pick<Knowledge, "homePlmnOf" | "countryOf" | "countryOfNetwork"> => ({
  homePlmnOf: (imsi, operatorId) => of(operatorId).homePlmnOf(imsi),
  countryOf: (mcc, operatorId) => of(operatorId).countryOf(mcc),
  countryOfNetwork: (plmn, operatorId) => of(operatorId).countryOfNetwork(plmn),
});

function shownBy({ catalog }: DeviceKnowledge, imei: string): string | null {
  const { form, screen } = catalog.deviceOf(imei.slice(0, TAC_DIGITS));
  return displayOf(form, screen);
}

function decide(
  { catalog, support }: DeviceKnowledge,
  terms: OperatorTerms,
  { tac, imeiIndex, market, asOf }: AskedTac,
): SupportDecision {
  const device = catalog.deviceOf(tac);
  const relation = relationOf(terms, device.make);
  const asked = {
    device,
    overrides: terms.overrides.size === 0 ? [] : overridesFor(terms.overrides, { ...device, imeiIndex }),
    relation: relation ? { make: relation.make, deal: relation.deal } : null,
    policy: policyIn(terms.policy, market),
    asOf,
  };
  return supportOf(asked, support);
}

function explain(devices: DeviceKnowledge, terms: OperatorTerms, tac: string, asOf: string): OurWord {
  const { make, model, source, datasetVersion: version } = devices.catalog.deviceOf(tac);
  const decision = decide(devices, terms, { tac, imeiIndex: "", market: null, asOf });
  return { make, model, source, version, decision };
}

function failing(
  { catalog, support }: DeviceKnowledge,
  { tests }: OrderPolicy,
  questionOf: (number: string, market: string | undefined, asOf: Date | undefined) => JudgeQuestion,
): readonly FailedPolicyTest[] {
  const tacs = tacsOfModels(
    catalog,
    tests.flatMap(({ model }) => model ?? []),
  );
  return failedTests(tests, (one) => {
    const asOf = one.asOf === undefined ? undefined : new Date(`${one.asOf}T00:00:00Z`);
    return numbersOf(one, tacs).map((number) => ({
      tac: number.slice(0, TAC_DIGITS),
      decision: supportOf(questionOf(number, one.market, asOf), support),
    }));
  });
}

/** An IMEI, or TACs where no handset is named. */
function numbersOf(
  { imei, tac, model }: PolicyTest,
  tacsOf: ReadonlyMap<string, readonly string[]>,
): readonly string[] {
  if (imei !== undefined) return [parseImei(imei)];
  return tac === undefined ? (tacsOf.get(model ?? "") ?? []) : [tac];
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
      fact("bands", device.bands.length > 0 ? device.bands : null),
      fact("chipset", device.chipset),
      fact("deviceClass", device.modelClass),
      fact("blockedAccessPoints", device.blocked),
      fact("settingsProtocols", device.capability),
      fact("lifecycle", device.lifecycle),
      fact("conflicts", device.conflicts),
      fact("reportingBody", device.reportingBody),
    ].filter(({ value }) => value !== null),
  };
}
