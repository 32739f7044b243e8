/** Which Services Module and which Device Feature Module a turn works with: the shipped ones where no other was given. */
import type { DeviceFeatureModule, ServicesModule } from "../order/kernel-modules.ts";
import type { RequestTurn } from "../order/turn.ts";
import {
  choiceMade,
  contentFetched,
  deviceReported,
  hasContent,
  resendByHand,
  sendContent,
} from "./feature.ts";
import {
  accessDelivered,
  accessLost,
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

const SERVICES: ServicesModule = {
  register: registerService,
  isRegistered,
  registrationUnknown,
  remove: removeService,
  elementsEnded,
  answered: serviceAnswered,
  fieldsSupplied,
  accessDelivered,
  accessLost,
  takeBack: takeBackRegistration,
  endRegistration: endRegistrationOf,
};

const FEATURES: DeviceFeatureModule = {
  send: sendContent,
  hasContent,
  fetched: contentFetched,
  reported: deviceReported,
  chosen: choiceMade,
  resend: resendByHand,
};

export const servicesOf = ({ deps }: Pick<RequestTurn, "deps">): ServicesModule =>
  deps.modules?.services ?? SERVICES;

export const featuresOf = ({ deps }: Pick<RequestTurn, "deps">): DeviceFeatureModule =>
  deps.modules?.features ?? FEATURES;
