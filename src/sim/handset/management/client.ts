/**
 * The management client of a simulated device (OMA DM 1.2): opens a session with the server of its account, proves itself by digest or
 * MAC, sees that the server does, and does what it is told to its tree. It is written from the specification, and knows nothing of
 * the server's own code.
 */
import type { DeviceAccount } from "../../../device/management-account.ts";
import {
  credentialHash,
  decodeHmacHeader,
  encodeBodyMac,
  encodeHmacHeader,
  encodeMd5Credential,
} from "../../../wire/omadm/auth.ts";
import {
  DM_WBXML_CONTENT_TYPE,
  DM_XML_CONTENT_TYPE,
  decodeDmWbxml,
  decodeDmXml,
  encodeDmWbxml,
  encodeDmXml,
} from "../../../wire/omadm/codec.ts";
import type { DmCommand, DmMessage, Item, ItemCommand } from "../../../wire/omadm/message.ts";
import { addNode, getNode, type ManagedKind, type ManagedTree, replaceNode } from "./tree.ts";

/** How a model speaks. */
export type ManagedModel = {
  readonly kind: ManagedKind;
  readonly encoding: "xml" | "wbxml";
  readonly proof: "digest" | "mac";
  /** Octets of a message that it takes. */
  readonly maxMsgSize?: number;
};

export type ManagedPost = {
  readonly url: string;
  readonly contentType: string;
  readonly body: Uint8Array;
  readonly hmac?: string;
};
export type ManagedAnswer = { readonly status: number; readonly body: Uint8Array; readonly hmac?: string };

export type ManagedDevice = {
  readonly imei: string;
  readonly model: ManagedModel;
  readonly tree: ManagedTree;
  account: DeviceAccount;
  /** A nonce of chance, Base64. */
  readonly freshNonce: () => string;
  readonly post: (post: ManagedPost) => Promise<ManagedAnswer>;
};

const MESSAGES_MAX = 40;
const PROOFS_MAX = 3;
const DEV_INFO = ["DevId", "Man", "Mod", "DmV", "Lang"] as const;
const octets = (nonce: string): Uint8Array => Buffer.from(nonce, "base64");

type Session = { readonly device: ManagedDevice; readonly id: string; msgId: number; isProved: boolean };

/**
 * Opens a session and stays in it to its end.
 * @param alert 1200 where the server asked for it, 1201 where the device did by itself
 * @returns whether it came to its end
 */
export async function runSession(device: ManagedDevice, id: string, alert: 1200 | 1201): Promise<boolean> {
  const session: Session = { device, id, msgId: 0, isProved: false };
  let commands: DmCommand[] = firstPackage(device, alert);
  let proofs = 0;
  for (let count = 0; count < MESSAGES_MAX; count++) {
    const answer = await send(session, commands);
    if (!answer) return false;
    const header = answer.message.commands.find((one) => one.name === "Status" && one.cmdRef === "0");
    if (header?.name !== "Status") return false;
    const nonce = header.challenge?.nextNonce;
    if (nonce) withNonce(device, "device", Buffer.from(nonce).toString("base64"));
    if (header.code === 401 || header.code === 407) {
      if (++proofs >= PROOFS_MAX) return false;
      commands = firstPackage(device, alert, answer.message);
      continue;
    }
    if (header.code >= 400) return false;
    session.isProved ||= header.code === 212;
    const asked = answer.message.commands.filter(({ name }) => name !== "Status");
    if (asked.length === 0) return true;
    commands = thirdPackage(session, answer);
  }
  return false;
}

function withNonce(device: ManagedDevice, side: "device" | "server", nonce: string): void {
  device.account = { ...device.account, [side]: { ...device.account[side], nonce } };
}

function firstPackage({ tree }: ManagedDevice, alert: number, after?: DmMessage): DmCommand[] {
  const status = after ? [statusOf("1", after.msgId, { cmdRef: "0", cmd: "SyncHdr", code: 200 })] : [];
  return [
    ...status,
    { name: "Alert", cmdId: "2", code: alert, items: [] },
    {
      name: "Replace",
      cmdId: "3",
      items: DEV_INFO.map((name): Item => {
        const source = `./DevInfo/${name}`;
        return { source, format: "chr", type: "text/plain", data: getNode(tree, source)?.value ?? "" };
      }),
    },
  ];
}

type Answer = { readonly message: DmMessage; readonly isServer: "yes" | "no" | "silent" };

async function send(session: Session, commands: readonly DmCommand[]): Promise<Answer | undefined> {
  const { device, id } = session;
  const { model, account, imei } = device;
  session.msgId++;
  const hash = credentialHash(account.device.name, account.device.secret);
  const isByDigest = model.proof === "digest" && !session.isProved;
  const message: DmMessage = {
    sessionId: id,
    msgId: String(session.msgId),
    target: account.url,
    source: `IMEI:${imei}`,
    sourceName: account.device.name,
    credential: isByDigest
      ? {
          type: "syncml:auth-md5",
          format: "b64",
          data: encodeMd5Credential(hash, octets(account.device.nonce)),
        }
      : undefined,
    maxMsgSize: model.maxMsgSize,
    commands,
    isFinal: true,
  };
  const body = model.encoding === "xml" ? encodeDmXml(message) : encodeDmWbxml(message);
  const mac = encodeBodyMac(hash, octets(account.device.nonce), body);
  const answer = await device.post({
    url: account.url,
    contentType: model.encoding === "xml" ? DM_XML_CONTENT_TYPE : DM_WBXML_CONTENT_TYPE,
    body,
    ...(model.proof === "mac" ? { hmac: encodeHmacHeader(account.device.name, mac) } : {}),
  });
  if (answer.status !== 200) return undefined;
  const read = model.encoding === "xml" ? decodeDmXml(answer.body) : decodeDmWbxml(answer.body);
  return { message: read, isServer: serverIn(device, read, answer) };
}

/** Whether it is the server that the account came from. */
function serverIn(
  { account: { server } }: ManagedDevice,
  { credential }: DmMessage,
  { body, hmac }: ManagedAnswer,
): Answer["isServer"] {
  const hash = credentialHash(server.name, server.secret);
  if (hmac !== undefined)
    return decodeHmacHeader(hmac).mac === encodeBodyMac(hash, octets(server.nonce), body) ? "yes" : "no";
  if (!credential) return "silent";
  return credential.data === encodeMd5Credential(hash, octets(server.nonce)) ? "yes" : "no";
}

/** A Status for the header and each command, what was asked for, and the nonce of the server's next proof. */
function thirdPackage(session: Session, { message, isServer }: Answer): DmCommand[] {
  const { device } = session;
  const { model } = device;
  const isKnown = isServer === "yes" || (isServer === "silent" && trusted.has(session));
  if (isServer === "yes") trusted.add(session);
  const nonce = device.freshNonce();
  withNonce(device, "server", nonce);
  const told: DmCommand[] = [];
  const nextId = (): string => String(told.length + 1);
  const byMac = model.proof === "mac";
  told.push({
    ...statusOf(nextId(), message.msgId, {
      cmdRef: "0",
      cmd: "SyncHdr",
      code: isKnown ? (byMac ? 200 : 212) : isServer === "no" ? 401 : 407,
    }),
    challenge: { type: byMac ? "syncml:auth-MAC" : "syncml:auth-md5", nextNonce: octets(nonce) },
  });
  const tell = (command: DmCommand): void => {
    if (command.name === "Status" || command.name === "Results") return;
    const done = isKnown ? doCommand(device.tree, command) : { code: 401 };
    told.push(
      statusOf(nextId(), message.msgId, { cmdRef: command.cmdId, cmd: command.name, code: done.code }),
    );
    if (done.items)
      told.push({
        name: "Results",
        cmdId: nextId(),
        msgRef: message.msgId,
        cmdRef: command.cmdId,
        items: done.items,
      });
    if (command.name === "Sequence") for (const one of command.commands) tell(one);
  };
  for (const command of message.commands) tell(command);
  return told;
}

/** Sessions whose server proved itself once. */
const trusted = new WeakSet<Session>();

type Done = { readonly code: number; readonly items?: readonly Item[] };

function doCommand(tree: ManagedTree, command: DmCommand): Done {
  switch (command.name) {
    case "Sequence":
    case "Alert":
      return { code: 200 };
    case "Add":
    case "Replace":
    case "Get":
      return doItem(tree, command);
    default:
      return { code: 406 };
  }
}

function doItem(tree: ManagedTree, { name, items: [item] }: ItemCommand): Done {
  const uri = item?.target;
  if (!item || uri === undefined) return { code: 400 };
  if (name === "Get") {
    const found = getNode(tree, uri);
    if (!found) return { code: 404 };
    return { code: 200, items: [{ source: uri, format: found.format, data: found.value ?? "" }] };
  }
  const value = typeof item.data === "string" ? item.data : null;
  const node = { format: item.format ?? "chr", value };
  return { code: name === "Add" ? addNode(tree, uri, node) : replaceNode(tree, uri, node) };
}

const statusOf = (
  cmdId: string,
  msgRef: string,
  about: { readonly cmdRef: string; readonly cmd: string; readonly code: number },
) => ({ name: "Status", cmdId, msgRef, ...about, targetRefs: [], sourceRefs: [], items: [] }) as const;
