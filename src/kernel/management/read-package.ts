/** What a message of a device says within a session: its Status of our commands, values that were asked for, facts, alerts. */

import type {
  AlertCommand,
  DmCommand,
  DmMessage,
  Item,
  ItemCommand,
  ResultsCommand,
  StatusCommand,
} from "../../wire/omadm/message.ts";
import { textOf } from "../../wire/wbxml/element.ts";
import { answered, type ManagementSession, type PlannedNode } from "./session.ts";
import { MANAGEMENT_TREES } from "./trees.ts";

const ROOTS: readonly string[] = MANAGEMENT_TREES.map(({ root }) => root);

/** A Status that the device is owed. */
export type Owed = { readonly cmdRef: string; readonly cmd: string; readonly code: number };

export type PackageRead = {
  readonly session: ManagementSession;
  readonly owed: readonly Owed[];
  /** The device gave us a nonce for our next proof, Base64. */
  readonly serverNonce: string | null;
  /** The device did not take our proof. */
  readonly isServerRefused: boolean;
  readonly isAborted: boolean;
};

/** Facts of a device that are kept: more is no device's. */
const FACTS_MAX = 32;
const FACT_CHARACTERS_MAX = 255;
const CHILDREN_MAX = 256;
const OK = 200;
const ALERTS = { abort: 1223, known: [1200, 1201, 1222, 1223, 1224, 1225, 1226] } as const;

/** @param before what the message answers */
export function readPackage(before: ManagementSession, message: DmMessage): PackageRead {
  let session: ManagementSession = {
    ...before,
    maxMsgSize: message.maxMsgSize ?? before.maxMsgSize,
  };
  const owed: Owed[] = [];
  let serverNonce: string | null = null;
  let isServerRefused = false;
  let isAborted = false;
  for (const command of message.commands) {
    switch (command.name) {
      case "Status":
        if (command.cmdRef === "0") {
          const nonce = command.challenge?.nextNonce;
          if (nonce) serverNonce = Buffer.from(nonce).toString("base64");
          isServerRefused ||= command.code === 401 || command.code === 407;
          session = { ...session, isServerProved: session.isServerProved || command.code === 212 };
        } else session = withStatus(session, command);
        break;
      case "Results": {
        const refusal = command.items.some(({ moreData }) => moreData) ? 413 : undefined;
        if (refusal) owed.push({ cmdRef: command.cmdId, cmd: "Results", code: refusal });
        else session = withResults(session, command);
        break;
      }
      case "Alert":
        isAborted ||= command.code === ALERTS.abort;
        owed.push({ cmdRef: command.cmdId, cmd: "Alert", code: alertCode(command) });
        break;
      default: {
        const code = codeOfCommand(command);
        if (command.name === "Replace" && code === OK) session = withFacts(session, command.items);
        owed.push({ cmdRef: command.cmdId, cmd: command.name, code });
      }
    }
  }
  return { session, owed, serverNonce, isServerRefused, isAborted };
}

const alertCode = ({ code }: AlertCommand): number =>
  ALERTS.known.some((known) => known === code) ? OK : 406;

/** A device tells of itself and of nothing else: all other commands are a server's. */
function codeOfCommand(command: Exclude<DmCommand, StatusCommand | ResultsCommand | AlertCommand>): number {
  if (command.name !== "Replace") return 406;
  if (command.items.some(({ moreData }) => moreData)) return 413;
  return command.items.every((item) => /^\.\/DevInfo\//.test(addressOf(item))) ? OK : 405;
}

const addressOf = ({ source, target }: Item): string => source ?? target ?? "";
const textIn = ({ data }: Item): string =>
  (typeof data === "string" ? data : data ? textOf(data) : "").slice(0, FACT_CHARACTERS_MAX);

function withFacts(session: ManagementSession, items: ItemCommand["items"]): ManagementSession {
  const facts = Object.entries(session.facts);
  for (const item of items) facts.push([addressOf(item).slice(0, FACT_CHARACTERS_MAX), textIn(item)]);
  return { ...session, facts: Object.fromEntries([...new Map(facts)].slice(0, FACTS_MAX)) };
}

function withStatus(session: ManagementSession, { msgRef, cmdRef, code }: StatusCommand): ManagementSession {
  if (msgRef !== String(session.askedIn)) return session;
  const asked = session.asked.find(({ cmdId }) => cmdId === cmdRef);
  if (!asked) return session;
  const left = session.asked.filter((one) => one !== asked);
  const { node } = asked;
  return {
    ...session,
    asked: left,
    // A group of a device that knows none: what is in it is sent by itself.
    isPlain: session.isPlain || (asked.get === undefined && node === undefined && code >= 400),
    roots:
      asked.get !== undefined && code === OK && session.roots[asked.get] === undefined
        ? { ...session.roots, [asked.get]: [] }
        : session.roots,
    nodes: node === undefined ? session.nodes : withNode(session.nodes, node, code),
  };
}

const withNode = (nodes: readonly PlannedNode[], at: number, code: number): PlannedNode[] =>
  nodes.map((node, index) => (index === at ? answered(node, code) : node));

/** An interior node's children are joined by slashes; the names of some devices are encoded as in a URI. */
function withResults(session: ManagementSession, { items }: ResultsCommand): ManagementSession {
  let next = session;
  for (const item of items) {
    const uri = addressOf(item);
    const value = typeof item.data === "string" ? item.data : "";
    if (ROOTS.includes(uri)) {
      const children = value.split("/").filter(Boolean).slice(0, CHILDREN_MAX);
      next = { ...next, roots: { ...next.roots, [uri]: children } };
    } else next = withFacts(next, [item]);
  }
  return next;
}
