/**
 * What is to be known of a device before anything is sent to it: whether its maker left it behind, in which protocol it takes
 * settings, whether it takes a device key, and which applications are cut off on it. The operator's word stands above the
 * data, the most specific first, and each question looks for its own word.
 */
import { optionalMember } from "../../term/record.ts";
import { type Service, serviceOf } from "../devices/bands.ts";
import type { Device } from "../devices/catalog.ts";
import type { SettingsForm } from "../devices/form-names.ts";
import {
  type LinkPushForm,
  linkPushOf,
  otherProtocolsOf,
  type PageForm,
  pageFormOf,
  protocolOf,
  type SettingsProtocol,
  settingsFormOf,
} from "../devices/settings-form.ts";
import { type CutOffApplication, cutOffOn } from "./cut-off.ts";
import {
  decideSupport,
  type SupportDecision,
  type SupportOverride,
  type SupportPolicy,
  type SupportQuestion,
  type SupportVerdict,
} from "./decide-support.ts";
import { overrideOfVerdict, saidOfForm, saidOfKey } from "./overrides.ts";
import type { SupportKnowledge } from "./support-knowledge.ts";

type JudgePolicy = SupportPolicy & {
  /** A model of which nobody says whether it runs keys is sent one, where it takes settings by OMA CP. */
  readonly tryKeys: boolean;
  /** For models of which no protocol is known. */
  readonly unknownProtocol: SettingsProtocol;
};

export type JudgeQuestion = {
  readonly device: Device;
  /** The operator's words that fit the device, the most specific first (`overridesFor`). */
  readonly overrides: readonly SupportOverride[];
  readonly relation: SupportQuestion["relation"];
  readonly policy: JudgePolicy;
  /** ISO date. */
  readonly asOf: string;
  /** The network where the device is, and its bands. */
  readonly network?: { readonly plmn: string; readonly bands: readonly string[] };
};

export type Judgement = {
  readonly make: string | null;
  readonly model: string | null;
  readonly verdict: SupportVerdict;
  /** The rules that decided and what each saw; kept with the order as they are. */
  readonly reasons: unknown;
  readonly protocol: SettingsProtocol;
  /** The form in which it gets access points; by that protocol. */
  readonly form?: SettingsForm;
  /** What stands behind a link to it. */
  readonly pageForm?: PageForm;
  /** Others that it takes too, for a bearer that does not carry that one; left out where there is none. */
  readonly otherProtocols?: readonly SettingsProtocol[];
  /** The WAP push that brings it a link; left out where a text does. */
  readonly linkPush?: LinkPushForm;
  /** Why it is this one, where the operator or hardware of the model says so; left out where its platform or the policy does. */
  readonly protocolBecause?: string;
  /** Applications that the data says are cut off on this model. */
  readonly cutOff?: readonly CutOffApplication[];
  /** Whether the network that serves it has bands of the model: by both lists, as far as they are known. */
  readonly service?: Service & { readonly plmn: string };
} & KeyAnswer;

type KeyAnswer = {
  /** Whether a device key is sent to it: the data or the operator says that its client runs one, or it is tried. */
  readonly takesKey: boolean;
  /** It is said that its client runs one: a receipt for the key's message is a success. Else only its own report is. */
  readonly isKeyKnown: boolean;
  /** Of a model that gets none: why. */
  readonly whyNoKey?: string;
  /** The operator itself says that it is to get none. */
  readonly isKeyForbidden?: boolean;
};

export function judge(question: JudgeQuestion, knowledge: SupportKnowledge): Judgement {
  const { overrides, policy, asOf } = question;
  const said = saidOfForm(overrides);
  const device = said === undefined ? question.device : withForm(question.device, said);
  const { verdict, reasons } = supportOf(question, knowledge);
  const { make, model } = device;
  const form = settingsFormOf(device, policy.unknownProtocol);
  const protocol = protocolOf(form);
  const cutOff = cutOffOn(device, knowledge, asOf);
  return {
    make,
    model,
    verdict,
    reasons,
    protocol,
    form,
    pageForm: pageFormOf(device),
    otherProtocols: otherProtocolsOf(device, protocol),
    ...optionalMember("linkPush", linkPushOf(device)),
    ...(said === undefined
      ? becauseOf(device, protocol)
      : { protocolBecause: "the operator's own word (settingsForm)" }),
    cutOff,
    ...(question.network && {
      service: { ...serviceOf(device.bands, question.network.bands), plmn: question.network.plmn },
    }),
    ...keyAnswerOf(question, protocol, saidOfKey(overrides)),
  };
}

const withForm = (device: Device, settingsForm: SettingsForm): Device => ({
  ...device,
  capability: { ...device.capability, settingsForm },
});

/** Of a protocol that is taken by the chipset of the model alone (R125). */
function becauseOf(
  { capability: { byChipset } }: Device,
  protocol: SettingsProtocol,
): Pick<Judgement, "protocolBecause"> {
  const name = protocol === "omacp" ? "omaCp" : "nokiaOta";
  const isByChipset = protocol === "omacp" || protocol === "nokiaota";
  if (!isByChipset || !byChipset?.protocols.includes(name)) return {};
  return { protocolBecause: `its chipset, ${byChipset.chipset}: ${byChipset.evidence}` };
}

/** Whether its maker has left the device behind: by the operator's word about it, else by the rules. */
export function supportOf(
  { overrides, ...question }: Omit<JudgeQuestion, "policy"> & { readonly policy: SupportPolicy },
  knowledge: SupportKnowledge,
): SupportDecision {
  return decideSupport({ ...question, override: overrideOfVerdict(overrides) }, knowledge);
}

/** By the operator's word, else by the data, else as the policy says of what nobody knows. */
function keyAnswerOf(
  { device: { capability }, policy }: Pick<JudgeQuestion, "device" | "policy">,
  protocol: SettingsProtocol,
  said: boolean | undefined,
): KeyAnswer {
  const word = said === undefined ? capability.deviceKey : said ? "yes" : "no";
  if (word === "yes") return { takesKey: true, isKeyKnown: true };
  if (word === "no")
    return {
      takesKey: false,
      isKeyKnown: false,
      whyNoKey: "this model takes no device key over the air",
      ...(said === false && { isKeyForbidden: true }),
    };
  // A key comes by the same push as settings by OMA CP: where none is sent, a key is not tried either.
  if (policy.tryKeys && protocol === "omacp") return { takesKey: true, isKeyKnown: false };
  return {
    takesKey: false,
    isKeyKnown: false,
    whyNoKey:
      "it is not known whether this model runs device keys (turnup import capability, or an override, says so)",
  };
}
