/**
 * An OMA Client Provisioning document: what an operator's settings are to a phone. Source: OMA-WAP-ProvCont 1.1 §4.
 * Names and values keep the specification's spelling ("NAP-ADDRESS", "GSM-GPRS").
 */

/** `value` null is a flag, a parm without a value (INTERNET, STARTPAGE); "" is an empty value. */
export type Parm = { readonly name: string; readonly value: string | null };

/** Parms first, then nested characteristics, each in document order; a name may repeat (TO-NAPID). */
export type Characteristic = {
  readonly type: string;
  readonly parms: readonly Parm[];
  readonly characteristics: readonly Characteristic[];
};

/** The root element: its version, and the characteristics in document order. */
export type ProvisioningDocument = {
  /** Null where the document does not say, as several operators' do not. */
  readonly version: "1.0" | "1.1" | null;
  readonly characteristics: readonly Characteristic[];
};
