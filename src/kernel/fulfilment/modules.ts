/** Which Services Module and which Device Feature Module a turn works with: the shipped ones where no other was given. */
import type { DeviceFeatureModule, ServicesModule } from "../order/kernel-modules.ts";
import type { RequestItem, RequestTurn } from "../order/turn.ts";
import {
  choiceMade,
  contentFetched,
  contentHeldBack,
  deviceReported,
  hasContent,
  resendByHand,
  sendContent,
} from "./feature.ts";
import {
  accessDelivered,
  accessLost,
  bringAccess,
  elementsEnded,
  endRegistrationOf,
  fieldsSupplied,
  isRegistered,
  registerService,
  registrationUnknown,
  removeService,
  serviceAnswered,
  takeBackRegistration,
} from "./service.ts";
import { tookOver } from "./take-over.ts";

type Services = ServicesModule<RequestTurn, RequestItem>;
type Features = DeviceFeatureModule<RequestTurn, RequestItem>;

const SERVICES: Services = {
  register: registerService,
  isRegistered,
  registrationUnknown,
  remove: removeService,
  elementsEnded,
  answered: serviceAnswered,
  fieldsSupplied,
  accessDelivered,
  accessLost,
  bringAccess,
  tookOver,
  takeBack: takeBackRegistration,
  endRegistration: endRegistrationOf,
};

const FEATURES: Features = {
  send: sendContent,
  hasContent,
  fetched: contentFetched,
  heldBack: contentHeldBack,
  reported: deviceReported,
  chosen: choiceMade,
  resend: resendByHand,
};

export const servicesOf = ({ deps }: Pick<RequestTurn, "deps">): Services =>
  deps.modules?.services ?? SERVICES;

export const featuresOf = ({ deps }: Pick<RequestTurn, "deps">): Features =>
  deps.modules?.features ?? FEATURES;
