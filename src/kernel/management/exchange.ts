/**
 * One message of a device and our answer to it: packages 1 to 4 of OMA DM (OMA-TS-DM_Protocol 1.2.1 §8). What stands between two
 * messages goes in and comes out; whoever calls keeps it, and gives the octets their door.
 */
import { createHash } from "node:crypto";
import { DecodeError } from "../../wire/decode-error.ts";
import {
  decodeHmacHeader,
  encodeBodyMac,
  encodeHmacHeader,
  encodeMd5Credential,
} from "../../wire/omadm/auth.ts";
import { decodeDmWbxml, decodeDmXml, encodeDmWbxml, encodeDmXml } from "../../wire/omadm/codec.ts";
import type { Challenge, Credential, DmCommand, DmMessage } from "../../wire/omadm/message.ts";
import { type ManagementAccount, octetsOf } from "./account.ts";
import { next } from "./next.ts";
import { proofOf } from "./prove.ts";
import { type Owed, readPackage } from "./read-package.ts";
import {
  isSameSession,
  type ManagementFact,
  type ManagementSession,
  type ManagementTask,
  newSession,
} from "./session.ts";

/** What is kept of a device between two messages. */
export type ManagementStanding = {
  readonly account: ManagementAccount;
  readonly session: ManagementSession | null;
  /** A nonce that was given to whoever proved nothing, Base64: the account's own stays, so that nobody else can spend it. */
  readonly challenge: string | null;
  /** The last message and our answer: a device that lost the answer sends the same octets again. */
  readonly last: { readonly digest: string; readonly answer: ManagementAnswer } | null;
};

/** `body` is Base64. */
type ManagementAnswer = { readonly body: string; readonly mac: string | null };

export type ManagementOutcome = {
  readonly standing: ManagementStanding;
  readonly answer: ManagementAnswer;
  readonly facts: readonly ManagementFact[];
  /** Whether the device proved itself by this message; `repeated`: it was answered before. */
  readonly proof: "proved" | "none" | "repeated";
};

export type ManagementRequest = {
  readonly body: Uint8Array;
  readonly encoding: "xml" | "wbxml";
  /** The header x-syncml-hmac. */
  readonly hmac: string | null;
};

const MD5 = "syncml:auth-md5";
const MAC = "syncml:auth-MAC";
const STATUS = { ok: 200, noMoreProof: 212, bad: 400, refused: 401, missing: 407 } as const;
/** What our own door takes. */
export const MESSAGE_OCTETS_MAX = 65_536;
const OBJECT_OCTETS_MAX = 16_384;

/** Devices that open sessions: each by the token of its own address. */
export interface ManagedDevices {
  /**
   * Takes a message of a device and answers it. Undefined: no device has this address.
   * @throws TurnupError `payload_malformed`: no message of OMA DM
   */
  exchange(token: string, request: ManagementRequest): Promise<ManagementReply | undefined>;
}

/** Octets of the answer, and its header x-syncml-hmac. */
export type ManagementReply = { readonly body: Uint8Array; readonly mac: string | null };

type Doing = {
  readonly standing: ManagementStanding;
  readonly task: ManagementTask | null;
  readonly request: ManagementRequest;
  readonly message: DmMessage;
  readonly freshNonce: () => string;
};

/**
 * @param task what is to be set on the device; null: nothing
 * @throws DecodeError no message of OMA DM, or a header that is none
 */
export function exchange(
  standing: ManagementStanding,
  task: ManagementTask | null,
  request: ManagementRequest,
  freshNonce: () => string,
): ManagementOutcome {
  const digest = createHash("sha256")
    .update(request.body)
    .update(request.hmac ?? "")
    .digest("base64");
  const { last } = standing;
  if (last && last.digest === digest) return { standing, answer: last.answer, facts: [], proof: "repeated" };
  const message = request.encoding === "xml" ? decodeDmXml(request.body) : decodeDmWbxml(request.body);
  if (!/^\d{1,9}$/.test(message.msgId)) throw new DecodeError("MsgID is no number", 0);
  const doing = { standing, task, request, message, freshNonce };
  const outcome = proved(doing);
  return { ...outcome, standing: { ...outcome.standing, last: { digest, answer: outcome.answer } } };
}

function proved(doing: Doing): ManagementOutcome {
  const { standing, request, message } = doing;
  const { account, session, challenge } = standing;
  const mac = request.hmac === null ? null : decodeHmacHeader(request.hmac);
  const proofBy = (nonce: string) => proofOf({ message, body: request.body, mac }, account, session, nonce);
  const byOwn = proofBy(account.deviceNonce);
  const proof = byOwn === "refused" && challenge !== null ? proofBy(challenge) : byOwn;
  if (proof === "refused" || proof === "missing") return challenged(doing, proof, mac !== null);
  const isSame = session !== null && isSameSession(session.id, message.sessionId) && session.phase !== "done";
  const msgId = Number(message.msgId);
  // A device that was switched off begins again with its first message, and a proof of its own, for which it may wait to be asked.
  if (proof === "session" && msgId === 1) return challenged(doing, "missing", false);
  // One that had to be asked knows nothing of what the session was at: it hears all of it again.
  const isBegun = isSame && proof === byOwn && (proof === "session" || msgId > 1);
  if (isBegun && msgId !== session.lastMsgId + 1) return outOfTurn(doing);
  return taken(doing, isBegun ? session : newSession(message.sessionId, msgId, proof === "mac"), {
    isByMac: proof === "mac",
    isNew: !isBegun,
  });
}

/** Every command gets a Status of the header's code; the device comes again with a proof (§8.3). */
function challenged(doing: Doing, proof: "refused" | "missing", isByMac: boolean): ManagementOutcome {
  const { standing, message, freshNonce } = doing;
  const nonce = freshNonce();
  const code = STATUS[proof];
  const challenge: Challenge = { type: isByMac ? MAC : MD5, nextNonce: octetsOf(nonce) };
  const owed = message.commands.flatMap((one): Owed[] =>
    one.name === "Status" || one.name === "Results" ? [] : [{ cmdRef: one.cmdId, cmd: one.name, code }],
  );
  return {
    standing: { ...standing, challenge: nonce },
    answer: sealed(doing, standing.account, {
      commands: statuses(message, { code, challenge }, owed),
      isFinal: true,
      proof: "none",
    }),
    facts: [],
    proof: "none",
  };
}

/** A message that does not follow the last one: the session stands as it was. */
function outOfTurn(doing: Doing): ManagementOutcome {
  const { standing, message } = doing;
  return {
    standing,
    answer: sealed(doing, standing.account, {
      commands: statuses(message, { code: STATUS.bad }, []),
      isFinal: true,
      proof: "none",
    }),
    facts: [],
    proof: "none",
  };
}

function taken(
  doing: Doing,
  before: ManagementSession,
  { isByMac, isNew }: { readonly isByMac: boolean; readonly isNew: boolean },
): ManagementOutcome {
  const { standing, task, message, request, freshNonce } = doing;
  const read = readPackage(before, message);
  const deviceNonce = isNew || isByMac ? freshNonce() : standing.account.deviceNonce;
  const account = {
    ...standing.account,
    deviceNonce,
    serverNonce: read.serverNonce ?? standing.account.serverNonce,
  };
  const challenge: Challenge | undefined =
    isNew || isByMac ? { type: isByMac ? MAC : MD5, nextNonce: octetsOf(deviceNonce) } : undefined;
  const header = { code: isByMac ? STATUS.ok : STATUS.noMoreProof, challenge };
  const ours = statuses(message, header, read.owed);
  const proofKind = isByMac ? "mac" : read.session.isServerProved ? "none" : "digest";
  const measure = (commands: readonly DmCommand[]): number =>
    octetsIn(doing, account, { commands: [...ours, ...commands], isFinal: true, proof: proofKind }).length;
  const step = next({ before, read, message, task, measure, firstCmdId: ours.length + 1 });
  const session = { ...step.session, lastMsgId: Number(message.msgId) };
  const answer = sealed({ ...doing, request }, account, {
    commands: [...ours, ...step.commands],
    isFinal: step.isFinal,
    proof: proofKind,
  });
  return {
    standing: { account, session, challenge: null, last: null },
    answer,
    facts: [...(isNew && task ? [{ kind: "began" } as const] : []), ...step.facts],
    proof: "proved",
  };
}

type Header = { readonly code: number; readonly challenge?: Challenge | undefined };

function statuses(message: DmMessage, header: Header, owed: readonly Owed[]): DmCommand[] {
  const { msgId, target, source } = message;
  const common = { name: "Status", msgRef: msgId, targetRefs: [], sourceRefs: [], items: [] } as const;
  return [
    {
      ...common,
      cmdId: "1",
      cmdRef: "0",
      cmd: "SyncHdr",
      targetRefs: [target],
      sourceRefs: [source],
      challenge: header.challenge,
      code: header.code,
    },
    ...owed.map(({ cmdRef, cmd, code }, at) => ({ ...common, cmdId: String(at + 2), cmdRef, cmd, code })),
  ];
}

type Reply = {
  readonly commands: readonly DmCommand[];
  readonly isFinal: boolean;
  readonly proof: "none" | "digest" | "mac";
};

function sealed(doing: Doing, account: ManagementAccount, reply: Reply): ManagementAnswer {
  const body = octetsIn(doing, account, reply);
  const mac =
    reply.proof === "mac"
      ? encodeHmacHeader(
          account.serverId,
          encodeBodyMac(account.serverHash, octetsOf(account.serverNonce), body),
        )
      : null;
  return { body: Buffer.from(body).toString("base64"), mac };
}

function octetsIn({ message, request }: Doing, account: ManagementAccount, reply: Reply): Uint8Array {
  const credential: Credential | undefined =
    reply.proof === "digest"
      ? {
          type: MD5,
          format: "b64",
          data: encodeMd5Credential(account.serverHash, octetsOf(account.serverNonce)),
        }
      : undefined;
  const answer: DmMessage = {
    sessionId: message.sessionId,
    msgId: message.msgId,
    target: message.source,
    source: message.target,
    sourceName: account.serverId,
    credential,
    maxMsgSize: MESSAGE_OCTETS_MAX,
    maxObjSize: OBJECT_OCTETS_MAX,
    commands: reply.commands,
    isFinal: reply.isFinal,
  };
  return request.encoding === "xml" ? encodeDmXml(answer) : encodeDmWbxml(answer);
}
