/** What a server of the network swears to: an application of a handset did its work with it, over this access point. */
export type ApplicationWorked = {
  readonly imsi: string;
  readonly imei: string;
  readonly apn: string;
  /** `mms`, `group_message`, `video_call`. */
  readonly application: string;
  /** The name by which the handset reached it. */
  readonly server: string;
  readonly at: Date;
};
