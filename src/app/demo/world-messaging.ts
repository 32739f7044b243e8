/**
 * Multimedia messages in the simulated world: the centre that takes and hands them out, its line to the message centre (SMPP),
 * and two subscribers with working phones to whom the others write.
 */
import { randomBytes } from "node:crypto";
import { createEsme } from "../../net/smsc/esme.ts";
import type { ApplicationWorked } from "../../sim/core/application-worked.ts";
import { createBatcher } from "../../sim/core/batcher.ts";
import { createMmsc, type Mmsc } from "../../sim/core/mmsc.ts";
import { createFleet, type Fleet } from "../../sim/handset/fleet.ts";
import type { FleetOptions } from "../../sim/handset/fleet-state.ts";
import { imeiFromNetwork } from "../../term/imei.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import type { ClosingStack } from "../server/closing-stack.ts";

const PUSH_PORT = 2948;
const HAS_HEADER = 0x40;
const EIGHT_BIT = 0x04;
const SYSTEM_ID = "mmsc";
const SHORT_CODE = "2949";
const WORKED = { maxBatch: 500, maxWaiting: 100_000, intervalMs: 50 } as const;

/** Beside the numbers of the fleet and of new phones; see `new-phones.ts` for why they look like this. */
const CONTACTS = [
  { imsi: "001018137258469", msisdn: "882108003714", serial: "041728" },
  { imsi: "001018137363198", msisdn: "882108006433", serial: "049647" },
] as const;
export const CONTACT_NUMBERS: readonly string[] = CONTACTS.map(({ msisdn }) => msisdn);

/** What the message centre knows the MMSC by. */
export const mmscAccount = (): { readonly systemId: string; readonly password: string } => ({
  systemId: SYSTEM_ID,
  password: randomBytes(4).toString("hex"), // SMPP holds 8 characters
});

type MessagingOptions = {
  readonly smscPort: number;
  readonly password: string;
  readonly host: string;
  onWorked(batch: readonly ApplicationWorked[]): Promise<void>;
  onFault(error: unknown): void;
};
export type Messaging = {
  readonly mmsc: Mmsc;
  readonly worked: { push(worked: ApplicationWorked): boolean; flush(): Promise<void> };
};

export function startMessaging(
  closing: ClosingStack,
  { smscPort, password, host, onWorked, onFault }: MessagingOptions,
): Messaging {
  const esme = createEsme({
    host: "127.0.0.1",
    port: smscPort,
    systemId: SYSTEM_ID,
    password,
    bind: "transmitter",
  });
  esme.start();
  closing.defer(() => esme.stop({ drainMs: 0 }));
  const worked = closing.use(createBatcher<ApplicationWorked>({ ...WORKED, deliver: onWorked, onFault }));
  let reference = 0;
  const mmsc = createMmsc({
    defaultHost: host,
    domain: host,
    onFault,
    onWorked: (one) => void worked.push(one),
    async push(msisdn, push) {
      reference = (reference + 1) & 0xff;
      const parts = splitUserData(push, {
        destPort: PUSH_PORT,
        srcPort: PUSH_PORT,
        reference,
        referenceBits: 8,
      });
      for (const { udh, data } of parts) {
        const outcome = await esme.submit({
          source_addr: SHORT_CODE,
          destination_addr: msisdn,
          esm_class: HAS_HEADER,
          data_coding: EIGHT_BIT,
          short_message: Buffer.concat([udh, data]),
        });
        if (outcome.kind !== "accepted")
          throw new Error(`the message centre took no notification: ${outcome.kind}`);
      }
    },
  });
  return { mmsc, worked };
}

/** Phones that are set up as they should be: they fetch what comes to them. */
export function createContacts(
  settings: NonNullable<FleetOptions["settings"]>,
  { gateway, plmn, seed }: Pick<FleetOptions, "gateway" | "plmn" | "seed">,
): Fleet {
  return createFleet({
    gateway,
    plmn,
    seed,
    phones: CONTACTS.map(({ serial, ...sim }) => ({
      ...sim,
      tac: "35332510",
      make: "Samsung",
      model: "Galaxy S25",
      imei: imeiFromNetwork(`35332510${serial}`),
      factoryApn: "",
      capability: { opensBy: "itself", takes: [] },
    })),
    settings,
    publicKeyOf: () => undefined,
    onSighting: () => undefined, // another operator's business
    submitMo: async () => undefined,
  });
}
