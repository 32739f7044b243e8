/** The names by which the simulated world is known: its network, its servers, and the contract with its manufacturer. */
import type { MakerClient } from "../../maker/policy.ts";

export const WORLD = {
  smscSystemId: "turnup",
  issuer: "maker.example",
  clientId: "turnup",
  /** The network of a made-up virtual operator on the test PLMN 001 01 (3GPP TS 23.003). */
  network: { mcc: "001", mnc: "01", msisdnPrefix: "88210" },
  factoryApn: "oldhost.example",
  operatorApns: { internet: "internet.meridian", mms: "mms.meridian" },
  mmscHost: "mmsc.meridian",
  /** What the operator's access point for MMS leads to goes by it. */
  mmsProxy: { host: "10.11.12.13", port: 8080 },
  /** The operator's own server for video calls, on its internet access point. */
  callHost: "video.meridian",
  makerHost: "mms.maker.example",
  makerApn: "apps.maker.example",
  /** The access point that keys of the own store name, for makers without a key server. */
  ownApn: "legacy.meridian",
  ownHost: "apps.legacy.example",
  feeMinor: 250,
  portionBasisPoints: 4000,
  currency: "EUR",
  shortCode: "2948",
} as const;

/** The contract as the manufacturer keeps it; `makerRelation` of the demonstration is the operator's copy. */
export const makerClient = (): MakerClient => ({
  id: WORLD.clientId,
  feeMinor: WORLD.feeMinor,
  portionBasisPoints: WORLD.portionBasisPoints,
  currency: WORLD.currency,
});
