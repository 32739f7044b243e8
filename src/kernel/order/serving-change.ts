/** What changed of a device or its SIM outside an order's end, and whoever serves it has to hear of (R123). */
export type ServingChange = {
  readonly id: string;
  /** The latest order of the subscriber, on this device where there is one: its history tells what became of the telling. */
  readonly orderId: string;
  readonly event: "changed" | "removed";
  /** `handset`: the SIM is in another; `number`: it is another SIM's; `account`: at the proxies, blocked, released or closed. */
  readonly what: "handset" | "number" | "account";
  /** The order is of this device: it names its make and model. */
  readonly isOfDevice: boolean;
  readonly at: Date;
};
