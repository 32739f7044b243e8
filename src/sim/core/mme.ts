/**
 * How an MME asks an equipment identity register by S13 whether a handset may be used: one TCP connection, capabilities first, then one
 * ECR for each handset that registers (3GPP TS 29.272 clause 6.2; RFC 6733 section 5). It answers watchdogs, and connects again.
 */
import { connect, type Socket } from "node:net";
import {
  answerHead,
  type DiameterMessage,
  decodeDiameter,
  encodeAvp,
  encodeDiameter,
  grouped,
  MESSAGE_FLAG,
  messageLength,
  RESULT,
  unsigned32,
  utf8,
} from "../../wire/diameter/message.ts";
import {
  AVP,
  addressValue,
  type EquipmentAnswer,
  encodeEquipmentCheck,
  readEquipmentAnswer,
  S13_APPLICATION,
  VENDOR_3GPP,
} from "../../wire/diameter/s13.ts";

type EquipmentRegister = { readonly host: string; readonly port: number; readonly realm: string };
type MmeClient = {
  /** The register's answer, or the result by which it refused to give one. */
  check(handset: { readonly imeisv: string; readonly imsi: string }): Promise<EquipmentAnswer | number>;
  close(): void;
};

const CAPABILITIES = 257;
const AGAIN_MS = 1_000;
const SERIAL_END = 14;

type Asked = {
  readonly imeisv: string;
  readonly imsi: string;
  readonly done: (answer: EquipmentAnswer | number) => void;
};
type Mme = {
  readonly register: EquipmentRegister;
  readonly originHost: string;
  readonly originRealm: string;
  readonly open: Map<number, Asked>;
  socket: Socket | undefined;
  isIntroduced: boolean;
  isClosed: boolean;
  nextId: number;
};

/** `originHost` and `originRealm` as the register knows this MME. */
export function mmeClient(
  register: EquipmentRegister,
  { originHost, originRealm }: { readonly originHost: string; readonly originRealm: string },
): MmeClient {
  const mme: Mme = {
    ...{ register, originHost, originRealm, open: new Map() },
    ...{ socket: undefined, isIntroduced: false, isClosed: false, nextId: 1 },
  };
  begin(mme);
  return {
    check: (handset) =>
      new Promise((done) => {
        const id = mme.nextId++;
        mme.open.set(id, { ...handset, done });
        if (mme.isIntroduced) ask(mme, id);
      }),
    close() {
      mme.isClosed = true;
      mme.socket?.destroy();
      for (const { done } of mme.open.values()) done(RESULT.unableToDeliver);
      mme.open.clear();
    },
  };
}

function begin(mme: Mme): void {
  const socket = connect(mme.register.port, mme.register.host);
  let rest = Buffer.alloc(0);
  mme.socket = socket;
  mme.isIntroduced = false;
  socket.setNoDelay(true);
  socket.on("connect", () => socket.write(capabilities(mme, socket.localAddress ?? "127.0.0.1")));
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => {
    const bytes = Buffer.concat([rest, chunk]);
    let at = 0;
    for (let length = messageLength(bytes, 0); length !== undefined && at + length <= bytes.length; ) {
      came(mme, decodeDiameter(bytes.subarray(at, at + length)));
      at += length;
      length = messageLength(bytes, at);
    }
    rest = bytes.subarray(at);
  });
  socket.on("close", () => {
    if (mme.isClosed) return;
    setTimeout(() => {
      if (!mme.isClosed) begin(mme);
    }, AGAIN_MS).unref();
  });
}

const originOf = ({ originHost, originRealm }: Mme): Uint8Array =>
  grouped(encodeAvp(AVP.originHost, utf8(originHost)), encodeAvp(AVP.originRealm, utf8(originRealm)));

function capabilities(mme: Mme, address: string): Uint8Array {
  const head = {
    flags: MESSAGE_FLAG.request,
    command: CAPABILITIES,
    application: 0,
    hopByHop: 0,
    endToEnd: 0,
  };
  return encodeDiameter(head, [
    originOf(mme),
    encodeAvp(AVP.hostAddress, addressValue(address)),
    encodeAvp(AVP.vendorId, unsigned32(VENDOR_3GPP)),
    encodeAvp(AVP.product, utf8("simulated MME"), { isMandatory: false }),
    encodeAvp(AVP.supportedVendor, unsigned32(VENDOR_3GPP)),
    encodeAvp(
      AVP.vendorApplication,
      grouped(
        encodeAvp(AVP.vendorId, unsigned32(VENDOR_3GPP)),
        encodeAvp(AVP.authApplication, unsigned32(S13_APPLICATION)),
      ),
    ),
  ]);
}

function ask(mme: Mme, id: number): void {
  const asked = mme.open.get(id);
  if (!asked) return;
  const check = encodeEquipmentCheck(
    {
      ...{ originHost: mme.originHost, originRealm: mme.originRealm },
      ...{ destinationHost: undefined, destinationRealm: mme.register.realm },
      imei: asked.imeisv.slice(0, SERIAL_END),
      softwareVersion: asked.imeisv.slice(SERIAL_END),
      imsi: asked.imsi,
      session: `${mme.originHost};1;${id}`,
    },
    { hopByHop: id, endToEnd: id },
  );
  mme.socket?.write(check);
}

function came(mme: Mme, message: DiameterMessage): void {
  if ((message.flags & MESSAGE_FLAG.request) !== 0) {
    const answer = [encodeAvp(AVP.result, unsigned32(RESULT.success)), originOf(mme)];
    mme.socket?.write(encodeDiameter(answerHead(message, RESULT.success), answer));
  } else if (message.command === CAPABILITIES) {
    mme.isIntroduced = readEquipmentAnswer(message) === RESULT.success;
    if (mme.isIntroduced) for (const id of mme.open.keys()) ask(mme, id);
  } else {
    const asked = mme.open.get(message.hopByHop);
    mme.open.delete(message.hopByHop);
    asked?.done(readEquipmentAnswer(message) ?? RESULT.unableToComply);
  }
}
