/** What is sent next in a session, and what came about: asks, sets node by node as far as the device's messages hold, and ends. */
import type { DmCommand, DmMessage, ItemCommand } from "../../wire/omadm/message.ts";
import type { PackageRead } from "./read-package.ts";
import {
  type AskedCommand,
  answered,
  FIRST_GETS,
  type ManagementFact,
  type ManagementSession,
  type ManagementTask,
  meaningOf,
  type PlannedNode,
  plan,
  treeOf,
} from "./session.ts";

type Given = {
  /** The session as it stood when our last message left. */
  readonly before: ManagementSession;
  readonly read: PackageRead;
  readonly message: DmMessage;
  readonly task: ManagementTask | null;
  /** Octets of our answer with these commands. */
  readonly measure: (commands: readonly DmCommand[]) => number;
  readonly firstCmdId: number;
};

type NextStep = {
  readonly session: ManagementSession;
  readonly commands: readonly DmCommand[];
  readonly isFinal: boolean;
  readonly facts: readonly ManagementFact[];
};

const NEXT_MESSAGE = 1222;
/** A device that does not take our proof twice takes it never. */
const SERVER_TRIES_MAX = 2;
/** Nodes in one message: an answer has a Status for each. */
const NODES_AT_ONCE = 40;

export function next(given: Given): NextStep {
  const { before, read, message, task, firstCmdId } = given;
  const { session } = read;
  if (!message.isFinal && !read.isAborted) {
    // More of its package is to come: nothing new is asked before (§8.2).
    const more = { name: "Alert", cmdId: String(firstCmdId), code: NEXT_MESSAGE, items: [] } as const;
    return { session, commands: [more], isFinal: false, facts: [] };
  }
  if (read.isAborted || session.phase === "done" || task === null) return ended(session);
  if (read.isServerRefused) return provedAgain(before, read, given);
  const whole = withoutStatus(session);
  if (whole.phase === "asking") return begun(whole, task, given);
  return set(whole, given);
}

const ended = (session: ManagementSession, facts: readonly ManagementFact[] = []): NextStep => ({
  session: { ...session, phase: "done", asked: [] },
  commands: [],
  isFinal: true,
  facts,
});

const refused = (session: ManagementSession, cause: string, reason: string): NextStep =>
  ended(session, [{ kind: "refused", cause, reason }]);

/** It did none of what it was asked: the same again, with a proof by the nonce that it gave. */
function provedAgain(before: ManagementSession, { session }: PackageRead, given: Given): NextStep {
  const serverTries = session.serverTries + 1;
  if (serverTries > SERVER_TRIES_MAX)
    return refused(session, "server_not_believed", "the handset does not take the server's proof");
  const again: ManagementSession = {
    ...before,
    maxMsgSize: session.maxMsgSize,
    facts: session.facts,
    serverTries,
    nodes: before.nodes.map((node) => (node.state === "asked" ? { ...node, state: "due" } : node)),
  };
  return again.phase === "asking" ? asked(again, given) : set({ ...again, asked: [] }, given);
}

/** Its package has ended: what has no Status by now gets none. */
function withoutStatus(session: ManagementSession): ManagementSession {
  const isGroupRefused = session.isPlain;
  return {
    ...session,
    asked: [],
    nodes: session.nodes.map((node) =>
      node.state !== "asked"
        ? node
        : isGroupRefused && node.tries < 2
          ? { ...node, state: "due" }
          : answered(node, 0),
    ),
  };
}

function begun(session: ManagementSession, task: ManagementTask, given: Given): NextStep {
  if (session.askedIn === 0) return asked(session, given);
  const tree = treeOf(session);
  if (!tree)
    return refused(
      session,
      "no_known_tree",
      "the handset has none of the management trees that are known here",
    );
  const nodes = plan(tree, task, session.roots);
  if (nodes.length === 0)
    return refused(session, "no_place", `its tree ${tree.name} has no place for these access points`);
  return set({ ...session, phase: "setting", tree: tree.name, nodes }, given);
}

function asked(session: ManagementSession, { message, firstCmdId }: Given): NextStep {
  const commands = FIRST_GETS.map(
    (target, at): ItemCommand => ({ name: "Get", cmdId: String(firstCmdId + at), items: [{ target }] }),
  );
  const waiting = commands.map(({ cmdId }, at): AskedCommand => ({ cmdId, get: FIRST_GETS[at] ?? "" }));
  return {
    session: { ...session, asked: waiting, askedIn: Number(message.msgId) },
    commands,
    isFinal: true,
    facts: [],
  };
}

function set(session: ManagementSession, given: Given): NextStep {
  const failed = session.nodes.find(({ state }) => state === "failed");
  if (failed) {
    const { by, uri, code = 0 } = failed;
    const meaning = meaningOf(code);
    const said = code === 0 ? "said nothing" : `answered ${code} (${meaning.replaceAll("_", " ")})`;
    return refused(session, meaning, `the handset ${said} to ${by} ${uri}`);
  }
  const due = session.nodes.flatMap((node, at) => (node.state === "due" ? [{ node, at }] : []));
  if (due.length === 0) return ended(session, [appliedOf(session)]);
  const sent = fitting(due, session, given);
  if (sent.count === 0) {
    const reason = `its messages of ${session.maxMsgSize} octets have no room for one node`;
    return refused(session, "message_too_small", reason);
  }
  const places = new Set(due.slice(0, sent.count).map(({ at }) => at));
  return {
    session: {
      ...session,
      asked: sent.asked,
      askedIn: Number(given.message.msgId),
      nodes: session.nodes.map((node, at) =>
        places.has(at) ? { ...node, state: "asked", tries: node.tries + 1 } : node,
      ),
    },
    commands: sent.commands,
    isFinal: true,
    facts: [],
  };
}

const appliedOf = ({ tree, nodes, facts }: ManagementSession): ManagementFact => ({
  kind: "applied",
  tree: tree ?? "",
  nodes: nodes.length,
  firmware: facts["./DevDetail/FwV"] ?? facts["./DevDetail/SwV"] ?? null,
});

type Due = { readonly node: PlannedNode; readonly at: number };
type Sent = {
  readonly count: number;
  readonly commands: readonly DmCommand[];
  readonly asked: readonly AskedCommand[];
};

/** As many as the device's messages hold, in one Sequence, so that parents come before their children (§8.5). */
function fitting(due: readonly Due[], session: ManagementSession, { measure, firstCmdId }: Given): Sent {
  let fit: Sent = { count: 0, commands: [], asked: [] };
  for (let count = 1; count <= Math.min(due.length, NODES_AT_ONCE); count++) {
    const tried = sending(due.slice(0, count), session.isPlain, firstCmdId);
    if (session.maxMsgSize !== null && measure(tried.commands) > session.maxMsgSize) break;
    fit = tried;
  }
  return fit;
}

function sending(due: readonly Due[], isPlain: boolean, firstCmdId: number): Sent {
  const groupId = String(firstCmdId);
  const inner = due.map(({ node }, at) => commandOf(node, String(firstCmdId + at + (isPlain ? 0 : 1))));
  const asked = due.map(({ at }, index): AskedCommand => ({ cmdId: inner[index]?.cmdId ?? "", node: at }));
  return isPlain
    ? { count: due.length, commands: inner, asked }
    : {
        count: due.length,
        commands: [{ name: "Sequence", cmdId: groupId, commands: inner }],
        asked: [{ cmdId: groupId }, ...asked],
      };
}

function commandOf({ by, uri, value, format }: PlannedNode, cmdId: string): ItemCommand {
  const item =
    value === null
      ? { target: uri, format: "node" }
      : { target: uri, format, type: "text/plain", data: value };
  return { name: by, cmdId, items: [item] };
}
