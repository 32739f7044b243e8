/** What a phone is to be told, free of any protocol: the input of every composer. */

/** `internet`, `mms` and `wap` are the phone's own uses; `maker` is the access point of a device key. */
export type SettingsPoint = {
  readonly use: "internet" | "mms" | "wap" | "maker";
  readonly apn: string;
  readonly authType: "none" | "pap" | "chap";
  readonly user: string | null;
  readonly password: string | null;
  readonly mmsc: string | null;
  readonly proxy: string | null;
  readonly port: number | null;
  readonly homepage: string | null;
  /** Of the packet session (TS 23.501 PDU session type), where the operator says one. */
  readonly protocol?: PdnProtocol;
};

/** One protocol, or both at once. */
export type PdnProtocol = "ipv4" | "ipv6" | "ipv4v6";

export type SettingsWireless = {
  readonly name: string;
  readonly ssid: string;
  readonly security: "open" | "wep" | "wpa_psk";
  readonly key: string | null;
  readonly hidden: boolean;
};

export type SettingsValues = {
  /** What the phone shows as the name of the settings: the operator's. */
  readonly name: string;
  readonly points: readonly SettingsPoint[];
  /** Wi-Fi networks, in formats that have a place for one; absent: none. */
  readonly wireless?: readonly SettingsWireless[];
  /** Some of them are shipped suggestions that nobody confirmed: they go out only while the operator says so. */
  readonly unconfirmed?: true;
  /** Access points that came out of a device key: behind a link they are shown while the handset is to have what its key holds. */
  readonly keyApns?: readonly string[];
};
