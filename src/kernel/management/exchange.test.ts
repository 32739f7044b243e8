/** Management sessions of OMA DM 1.2 between our server's decisions and a client written from the specification. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { accountIn } from "../../device/management-account.ts";
import { type ManagedDevice, type ManagedModel, runSession } from "../../sim/handset/management/client.ts";
import { accessPointsIn, freshTree, type ManagedKind } from "../../sim/handset/management/tree.ts";
import { DecodeError } from "../../wire/decode-error.ts";
import { bytesOf } from "../../wire/hex.ts";
import { decodeProvisioning } from "../../wire/omacp/codec.ts";
import { verifyMac } from "../../wire/omacp/mac.ts";
import {
  credentialHash,
  encodeBasicCredential,
  encodeBodyMac,
  encodeHmacHeader,
  encodeMd5Credential,
} from "../../wire/omadm/auth.ts";
import { decodeDmWbxml, decodeDmXml, encodeDmWbxml, encodeDmXml } from "../../wire/omadm/codec.ts";
import type { DmCommand, DmMessage } from "../../wire/omadm/message.ts";
import { decodeNotification, isNotificationFrom } from "../../wire/omadm/notification.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import type { SettingsPoint, SettingsValues } from "../payload/settings-values.ts";
import { newManagementAccount } from "./account.ts";
import { composeBootstrap, composeNotification, sessionNumberOf } from "./bootstrap.ts";
import { exchange, type ManagementStanding } from "./exchange.ts";
import type { ManagementFact } from "./session.ts";

const NONCE_OCTETS = 8;
const IMSI = "001010123456789";
const URL_OF_DEVICE = "https://dm.example/dm/abcdefghijklmnopqrstuv";
const POINT: SettingsPoint = {
  use: "internet",
  apn: "internet.example",
  authType: "pap",
  user: "u&<ser",
  password: "secret",
  mmsc: null,
  proxy: null,
  port: null,
  homepage: null,
};
const VALUES: SettingsValues = {
  name: "Example",
  points: [POINT, { ...POINT, use: "mms", apn: "mms.example", proxy: "192.0.2.7", port: 9201 }],
};

/** Octets that nobody guesses, the same in each run. */
function draws(): (octets: number) => Uint8Array {
  let count = 0;
  return (octets) =>
    Uint8Array.from(createHash("sha256").update(`draw ${count++}`).digest().subarray(0, octets));
}

type World = {
  standing: ManagementStanding;
  task: SettingsValues | null;
  readonly facts: ManagementFact[];
  readonly sizes: number[];
  readonly device: ManagedDevice;
  /** What the network does to a message on its way: gives it on once, twice, or changed. */
  onWay: (body: Uint8Array) => readonly Uint8Array[];
  say(body: Uint8Array, hmac?: string): { readonly message: DmMessage; readonly body: Uint8Array };
};

function worldOf(how: Partial<ManagedModel> = {}): World {
  const draw = draws();
  const made = newManagementAccount("01890000-0000-7000-8000-00000000aaaa", draw);
  const model: ManagedModel = { kind: "connmo", encoding: "wbxml", proof: "digest", ...how };
  const bootstrap = composeBootstrap(VALUES, made, {
    url: URL_OF_DEVICE,
    authentication: { sec: "netwpin", imsi: IMSI },
  });
  const account = accountIn(decodeProvisioning(decodePush(bootstrap).body));
  assert.ok(account);
  const freshNonce = (): string => Buffer.from(draw(NONCE_OCTETS)).toString("base64");
  const about = {
    "./DevInfo/DevId": "IMEI:490154203237518",
    "./DevInfo/Man": "Example",
    "./DevDetail/FwV": "7",
  };
  const world: World = {
    standing: { account: made.account, session: null, challenge: null, last: null },
    task: VALUES,
    facts: [],
    sizes: [],
    onWay: (body) => [body],
    device: {
      imei: "490154203237518",
      model,
      account,
      tree: freshTree(model.kind, about),
      freshNonce,
      async post({ body, hmac }) {
        let answer: { readonly body: Uint8Array; readonly mac: string | null } | undefined;
        for (const one of world.onWay(body)) answer = take(one, hmac);
        assert.ok(answer);
        return { status: 200, body: answer.body, ...(answer.mac === null ? {} : { hmac: answer.mac }) };
      },
    },
    say(body, hmac) {
      const answer = take(body, hmac);
      const read = model.encoding === "xml" ? decodeDmXml : decodeDmWbxml;
      return { message: read(answer.body), body: answer.body };
    },
  };
  function take(body: Uint8Array, hmac?: string) {
    const request = { body, encoding: model.encoding, hmac: hmac ?? null };
    const outcome = exchange(world.standing, world.task, request, freshNonce);
    // As the store keeps it.
    world.standing = JSON.parse(JSON.stringify(outcome.standing));
    world.facts.push(...outcome.facts);
    const octets = Buffer.from(outcome.answer.body, "base64");
    world.sizes.push(octets.length);
    return { body: octets, mac: outcome.answer.mac };
  }
  return world;
}

const kinds = ({ facts }: World): string[] => facts.map((fact) => fact.kind);
const statusOf = ({ commands }: DmMessage, cmdRef: string): number | undefined =>
  commands.flatMap((one) => (one.name === "Status" && one.cmdRef === cmdRef ? [one.code] : []))[0];
const ALERT: DmCommand = { name: "Alert", cmdId: "1", code: 1201, items: [] };

/** The first message of the device, as its own client would not write it. */
function opening({ standing: { account }, device }: World, more: Partial<DmMessage> = {}): Uint8Array {
  const hash = credentialHash(device.account.device.name, device.account.device.secret);
  const nonce = Buffer.from(account.deviceNonce, "base64");
  const message: DmMessage = {
    sessionId: "4B4B",
    msgId: "1",
    target: URL_OF_DEVICE,
    source: "IMEI:490154203237518",
    sourceName: device.account.device.name,
    credential: { type: "syncml:auth-md5", format: "b64", data: encodeMd5Credential(hash, nonce) },
    commands: [ALERT],
    isFinal: true,
    ...more,
  };
  return device.model.encoding === "xml" ? encodeDmXml(message) : encodeDmWbxml(message);
}

test("the account is signed for the SIM, holds one road and no browser's, and its notification has the digest of its server", () => {
  const draw = draws();
  const made = newManagementAccount("01890000-0000-7000-8000-00000000aaaa", draw);
  const push = decodePush(
    composeBootstrap(VALUES, made, { url: URL_OF_DEVICE, authentication: { sec: "netwpin", imsi: IMSI } }),
  );
  assert.ok(verifyMac("netwpin", String(push.params.MAC), { imsi: IMSI }, push.body));
  const { characteristics } = decodeProvisioning(push.body);
  assert.deepEqual(
    characteristics.map(({ type }) => type),
    ["BOOTSTRAP", "NAPDEF", "APPLICATION"],
  );
  assert.ok(!JSON.stringify(characteristics).includes('INTERNET"'), "a browser is not set up by it");
  const account = accountIn({ version: "1.1", characteristics });
  assert.deepEqual(
    [account?.url, account?.serverId.length, account?.device.nonce],
    [URL_OF_DEVICE, 19, made.account.deviceNonce],
  );
  const session = sessionNumberOf(0x4a);
  assert.equal(session, 0x4b4b);
  const { body } = decodePush(composeNotification(made.account, session));
  assert.deepEqual(
    [decodeNotification(body).serverId, decodeNotification(body).sessionId],
    [made.account.serverId, 0x4b4b],
  );
  const nonce = Buffer.from(made.account.serverNonce, "base64");
  assert.ok(
    isNotificationFrom(body, { hash: credentialHash(made.account.serverId, made.serverPassword), nonce }),
  );
  assert.ok(!isNotificationFrom(body, { hash: made.account.deviceHash, nonce }));
  assert.ok(!JSON.stringify(made.account).includes(made.devicePassword), "a password is kept nowhere");
});

for (const kind of ["connmo", "s60", "windows"] as const satisfies readonly ManagedKind[])
  for (const encoding of ["xml", "wbxml"] as const)
    for (const proof of ["digest", "mac"] as const)
      test(`a device with the tree ${kind}, in ${encoding}, by ${proof}: every node is set, with its octets`, async () => {
        const world = worldOf({ kind, encoding, proof });
        assert.equal(await runSession(world.device, "4B4B", 1200), true);
        assert.deepEqual(kinds(world), ["began", "applied"]);
        const points = accessPointsIn(world.device.tree, kind);
        assert.deepEqual(
          points.map(({ apn, user, password }) => [apn, user, password]),
          [
            ["internet.example", "u&<ser", "secret"],
            ["mms.example", "u&<ser", "secret"],
          ],
        );
        const applied = world.facts.at(-1);
        assert.ok(applied?.kind === "applied" && applied.firmware === "7");
      });

test("what an earlier session set is replaced, what the device lost since is added again, and nothing is there twice", async () => {
  const world = worldOf();
  await runSession(world.device, "4B4B", 1200);
  const size = world.device.tree.size;
  world.task = { ...VALUES, points: VALUES.points.map((point) => ({ ...point, apn: `new.${point.apn}` })) };
  world.device.tree.delete("./NAP/Turnup-mms/NAPAddr");
  assert.equal(await runSession(world.device, "4C4C", 1201), true);
  assert.deepEqual(kinds(world), ["began", "applied", "began", "applied"]);
  assert.deepEqual(
    accessPointsIn(world.device.tree, "connmo")
      .map(({ apn }) => apn)
      .sort(),
    ["new.internet.example", "new.mms.example"],
  );
  assert.equal(world.device.tree.size, size);
});

test("each session has nonces of its own, and a proof that was used opens no second session", async () => {
  const world = worldOf();
  const first = opening(world);
  const before = world.standing.account;
  assert.equal(statusOf(world.say(first).message, "0"), 212);
  assert.notEqual(world.standing.account.deviceNonce, before.deviceNonce);
  const replayed = { ...decodeDmWbxml(first), sessionId: "5555" };
  const { message } = world.say(encodeDmWbxml(replayed));
  assert.equal(statusOf(message, "0"), 401);
  assert.equal(world.standing.session?.id, "4B4B", "whoever proves nothing ends nobody's session");
});

for (const [what, credential, code] of [
  ["none", undefined, 407],
  ["a wrong digest", { type: "syncml:auth-md5", format: "b64", data: "AAAAAAAAAAAAAAAAAAAAAA==" }, 401],
  [
    "a plain password",
    { type: "syncml:auth-basic", format: "b64", data: encodeBasicCredential("a", "b") },
    401,
  ],
] as const)
  test(`a first message with ${what} is challenged with a Status for each command, and shows nothing`, () => {
    const world = worldOf();
    const nonce = world.standing.account.deviceNonce;
    const { message } = world.say(opening(world, { credential }));
    assert.deepEqual([statusOf(message, "0"), statusOf(message, "1")], [code, code]);
    const [header] = message.commands;
    assert.ok(header?.name === "Status" && header.challenge?.nextNonce?.length === NONCE_OCTETS);
    assert.deepEqual([world.facts, world.standing.session], [[], null]);
    assert.equal(
      world.standing.account.deviceNonce,
      nonce,
      "whoever proved nothing spends no nonce of the device",
    );
  });

test("a MAC of other octets, under another name or another nonce proves nothing, and the challenge is for a MAC", () => {
  const world = worldOf({ proof: "mac" });
  const { account } = world.standing;
  const body = opening(world, { credential: undefined });
  const header = (user: string, nonce: string, octets: Uint8Array): string =>
    encodeHmacHeader(user, encodeBodyMac(account.deviceHash, Buffer.from(nonce, "base64"), octets));
  const { user, deviceNonce } = account;
  for (const wrong of [
    header(user, deviceNonce, Buffer.from("other")),
    header("other", deviceNonce, body),
    header(user, account.serverNonce, body),
  ]) {
    const { message } = world.say(body, wrong);
    const [status] = message.commands;
    assert.ok(status?.name === "Status" && status.challenge?.type === "syncml:auth-MAC");
    assert.equal(status.code, 401);
  }
  assert.deepEqual(world.facts, []);
  assert.equal(statusOf(world.say(body, header(user, deviceNonce, body)).message, "0"), 200);
  assert.deepEqual(kinds(world), ["began"]);
});

test("a device that lost its nonce proves itself by the one of the challenge, in the same session", async () => {
  const world = worldOf();
  world.device.account = {
    ...world.device.account,
    device: { ...world.device.account.device, nonce: "AAAA" },
  };
  assert.equal(await runSession(world.device, "4B4B", 1200), true);
  assert.deepEqual(kinds(world), ["began", "applied"]);
});

test("a device that lost the server's nonce asks for a proof anew, and sets everything then", async () => {
  const world = worldOf();
  world.device.account = {
    ...world.device.account,
    server: { ...world.device.account.server, nonce: "AAAA" },
  };
  assert.equal(await runSession(world.device, "4B4B", 1200), true);
  assert.deepEqual(kinds(world), ["began", "applied"]);
});

test("a device that never takes the server's proof: the order hears that, and nothing is tried for ever", async () => {
  const world = worldOf();
  world.device.account = {
    ...world.device.account,
    server: { ...world.device.account.server, secret: "other" },
  };
  await runSession(world.device, "4B4B", 1200);
  const last = world.facts.at(-1);
  assert.ok(last?.kind === "refused" && last.cause === "server_not_believed");
  assert.ok(world.sizes.length <= 4);
});

test("a message that is lost on its way back is sent again: the same answer, and nothing is done twice", async () => {
  const world = worldOf();
  world.onWay = (body) => [body, body, body];
  assert.equal(await runSession(world.device, "4B4B", 1200), true);
  assert.deepEqual(kinds(world), ["began", "applied"]);
});

test("a message that does not follow the last one gets Status 400, and the session stands as it was", () => {
  const world = worldOf();
  world.say(opening(world));
  const session = world.standing.session;
  for (const msgId of ["3", "99"]) {
    const { message } = world.say(opening(world, { msgId, credential: undefined }));
    assert.deepEqual([statusOf(message, "0"), message.commands.length], [400, 1]);
  }
  assert.deepEqual(world.standing.session, session);
  const { message } = world.say(opening(world, { sessionId: "5555", credential: undefined }));
  assert.equal(statusOf(message, "0"), 407, "another session has to be proved");
});

test("a device that was switched off begins its session again: it is challenged, and comes to its end", async () => {
  const world = worldOf();
  world.say(opening(world));
  const { message } = world.say(
    opening(world, { credential: undefined, commands: [{ ...ALERT, code: 1200 }] }),
  );
  assert.deepEqual([statusOf(message, "0"), statusOf(message, "1")], [407, 407]);
  assert.equal(await runSession(world.device, "4B4B", 1200), true);
  assert.deepEqual(kinds(world).at(-1), "applied");
});

test("numbers of sessions are the same with zeros in front and in either case", () => {
  const world = worldOf();
  world.say(opening(world, { sessionId: "4b4b" }));
  const next = opening(world, { sessionId: "04B4B", msgId: "2", credential: undefined });
  assert.equal(statusOf(world.say(next).message, "0"), 212);
});

test("more of a package is asked for by alert 1222, without new commands, until its end is there", () => {
  const world = worldOf();
  const { message } = world.say(opening(world, { isFinal: false }));
  const asked = message.commands.flatMap((one) => (one.name === "Alert" ? [String(one.code)] : [one.name]));
  assert.deepEqual([asked, message.isFinal], [["Status", "Status", "1222"], false]);
  const whole = world.say(opening(world, { msgId: "2", credential: undefined, commands: [] })).message;
  assert.ok(whole.commands.some(({ name }) => name === "Get") && whole.isFinal);
});

test("messages stay within what the device takes, however many it needs; a node that fits into none is refused", async () => {
  const world = worldOf({ maxMsgSize: 900 });
  assert.equal(await runSession(world.device, "4B4B", 1200), true);
  assert.deepEqual(kinds(world), ["began", "applied"]);
  assert.ok(Math.max(...world.sizes) <= 900, world.sizes.join());
  assert.ok(world.sizes.length > 5);
  const narrow = worldOf({ maxMsgSize: 200 });
  await runSession(narrow.device, "4B4B", 1200);
  const last = narrow.facts.at(-1);
  assert.ok(last?.kind === "refused" && last.cause === "message_too_small");
});

/** Answers our Sequence as a device that has this Status for one of its nodes, or for the group itself. */
function answering(world: World, codeOf: (command: DmCommand) => number | null): ManagementFact | undefined {
  let answer = world.say(opening(world)).message;
  for (let msgId = 2; msgId < 20 && answer.commands.some(({ name }) => name !== "Status"); msgId++) {
    const told: DmCommand[] = [];
    const tell = (command: DmCommand): void => {
      if (command.name === "Status") return;
      const code = codeOf(command);
      const common = {
        name: "Status",
        msgRef: answer.msgId,
        targetRefs: [],
        sourceRefs: [],
        items: [],
      } as const;
      if (code !== null)
        told.push({
          ...common,
          cmdId: String(told.length + 2),
          cmdRef: command.cmdId,
          cmd: command.name,
          code,
        });
      if (command.name === "Sequence" && code === 200) command.commands.forEach(tell);
    };
    answer.commands.forEach(tell);
    answer = world.say(
      opening(world, { msgId: String(msgId), credential: undefined, commands: told }),
    ).message;
  }
  return world.facts.at(-1);
}
const isGetOf = (command: DmCommand, root: string): boolean =>
  command.name === "Get" && command.items[0]?.target === root;
const known = (command: DmCommand): number =>
  command.name === "Get" && !isGetOf(command, "./NAP") ? 404 : 200;
const isOf = (command: DmCommand, end: string): boolean =>
  "items" in command && command.items[0]?.target?.endsWith(end) === true;

for (const [code, cause] of [
  [425, "permission_denied"],
  [420, "full"],
  [405, "not_allowed"],
  [500, "command_failed"],
  [599, "status_599"],
  [null, "no_status"],
] as const)
  test(`a node that is answered ${code ?? "by nothing"} fails the settings with ${cause} as its cause`, () => {
    const fact = answering(worldOf(), (command) => (isOf(command, "/NAPAddr") ? code : known(command)));
    assert.ok(fact?.kind === "refused");
    assert.deepEqual([fact.cause, /\.\/NAP\/Turnup-internet\/NAPAddr/.test(fact.reason)], [cause, true]);
    assert.ok(!/internet\.example|secret/.test(fact.reason), "no value stands in a reason");
  });

test("a node that is there already is replaced, and one that is not there is added, once each", () => {
  const seen: string[] = [];
  const fact = answering(worldOf(), (command) => {
    if (!isOf(command, "/NAPAddr")) return known(command);
    seen.push(command.name);
    return command.name === "Add" ? 418 : 404;
  });
  assert.ok(fact?.kind === "refused" && fact.cause === "exists");
  assert.deepEqual(seen.slice(0, 3), ["Add", "Add", "Replace"]);
  assert.ok(seen.length <= 6, seen.join());
});

test("a device without Sequence gets its nodes one by one", () => {
  const fact = answering(worldOf(), (command) => (command.name === "Sequence" ? 406 : known(command)));
  assert.equal(fact?.kind, "applied");
});

test("a device with none of the trees: nothing is guessed", async () => {
  const world = worldOf({ kind: "none" });
  await runSession(world.device, "4B4B", 1200);
  const last = world.facts.at(-1);
  assert.ok(last?.kind === "refused" && last.cause === "no_known_tree");
  assert.equal(accessPointsIn(world.device.tree, "none").length, 0);
});

test("a device for which nothing waits is told so, and a session that it breaks off shows no end", () => {
  const idle = worldOf();
  idle.task = null;
  const { message } = idle.say(opening(idle));
  assert.deepEqual([message.commands.map(({ name }) => name), message.isFinal], [["Status", "Status"], true]);
  assert.deepEqual(idle.facts, []);
  const broken = worldOf();
  broken.say(opening(broken));
  const abort: DmCommand = { name: "Alert", cmdId: "1", code: 1223, items: [] };
  const last = broken.say(opening(broken, { msgId: "2", credential: undefined, commands: [abort] })).message;
  assert.deepEqual(
    last.commands.map(({ name }) => name),
    ["Status", "Status"],
  );
  assert.deepEqual(kinds(broken), ["began"]);
});

test("a device commands nothing: what is a server's is answered 405 or 406, a large object 413, an unknown alert 406", () => {
  const world = worldOf();
  const item = { target: "./DMAcc/1/AAuthName", data: "x" };
  const commands: DmCommand[] = [
    { name: "Alert", cmdId: "1", code: 1299, items: [] },
    { name: "Add", cmdId: "2", items: [item] },
    { name: "Replace", cmdId: "3", items: [item] },
    { name: "Replace", cmdId: "4", items: [{ source: "./DevInfo/Man", data: "a", moreData: true }] },
    { name: "Sequence", cmdId: "5", commands: [ALERT] },
    { name: "Alert", cmdId: "6", code: 1226, items: [] },
  ];
  const { message } = world.say(opening(world, { commands }));
  assert.deepEqual(
    ["1", "2", "3", "4", "5", "6"].map((id) => statusOf(message, id)),
    [406, 406, 405, 413, 406, 200],
  );
});

test("what is no message is refused with its place, and changes nothing", () => {
  const world = worldOf({ encoding: "xml" });
  const before = world.standing;
  const bomb =
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><SyncML xmlns="SYNCML:SYNCML1.2"><SyncHdr>&b;</SyncHdr></SyncML>';
  const deep = `${"<SyncML>".repeat(5_000)}`;
  for (const text of ["", "hello", bomb, deep, "<SyncML><SyncHdr/><SyncBody/></SyncML>"])
    assert.throws(() => world.say(Buffer.from(text)), DecodeError);
  const good = Buffer.from(opening(world)).toString();
  for (const bad of [good.replace("<MsgID>1<", "<MsgID>-1<"), good.replace("DM/1.2", "DM/9.9")])
    assert.throws(() => world.say(Buffer.from(bad)), DecodeError);
  assert.throws(() => world.say(Buffer.from(good), "algorithm=SHA1, mac=x"), DecodeError);
  const wbxml = worldOf();
  for (const hex of ["", "ff", "02a4016a00", "02a4016a006d6c7103312e32"])
    assert.throws(() => wbxml.say(bytesOf(hex)), DecodeError);
  assert.deepEqual(world.standing, before);
});
