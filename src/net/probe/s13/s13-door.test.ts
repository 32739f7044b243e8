/** The door for S13 on a real socket: octets of freeDiameter and python-diameter, cut and glued as TCP does, and peers that misbehave. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { test } from "vitest";
import { pairOf, strangerAuthority } from "../../../../test/fixture/parties.ts";
import { whenDone } from "../../../../test/fixture/when-done.ts";
import { DIAMETER_VECTORS } from "../../../../test/vector/diameter.ts";
import { mutualTls } from "../../../http/mutual-tls.ts";
import {
  answerHead,
  avpOf,
  type DiameterMessage,
  decodeDiameter,
  encodeAvp,
  encodeDiameter,
  grouped,
  messageLength,
  numberOf,
  RESULT,
  unsigned32,
  utf8,
  wholeOf,
} from "../../../wire/diameter/message.ts";
import {
  AVP,
  type EquipmentAnswer,
  type EquipmentCheck,
  readEquipmentAnswer,
  VENDOR_3GPP,
} from "../../../wire/diameter/s13.ts";
import { openS13Door } from "./s13-door.ts";

const vector = (id: string): Buffer =>
  Buffer.from((DIAMETER_VECTORS.find((one) => one.id === id) ?? assert.fail(id)).hex, "hex");
const MME = "mme.epc.mnc001.mcc001.3gppnetwork.org";
const REALM = "epc.mnc001.mcc001.3gppnetwork.org";
const CER = vector("dia-cer-fd");
const ECR = vector("dia-ecr-fd-15");

async function door(
  options: {
    answer?: EquipmentAnswer;
    watchdogMs?: number;
    firstMessageMs?: number;
    isNear?: boolean;
    isNamed?: () => boolean;
    tls?: ReturnType<typeof mutualTls>;
  } = {},
) {
  const asked: EquipmentCheck[] = [];
  const outcomes: string[] = [];
  const faults: unknown[] = [];
  const opened = await openS13Door({
    ...{ host: "127.0.0.1", port: 0, tls: options.tls },
    identity: { originHost: `eir.${REALM}`, originRealm: REALM, realms: [], originState: 1 },
    isNear: () => options.isNear ?? true,
    peerOf: (name) =>
      name.toLowerCase() === MME && (options.isNamed?.() ?? true) ? { name: "mme" } : undefined,
    check(_, check) {
      asked.push(check);
      return options.answer ?? "white";
    },
    onOutcome: (outcome) => void outcomes.push(outcome),
    onFault: (error) => void faults.push(error),
    ...(options.watchdogMs !== undefined && { watchdogMs: options.watchdogMs }),
    ...(options.firstMessageMs !== undefined && { firstMessageMs: options.firstMessageMs }),
  });
  whenDone(async () => {
    await opened.close();
    assert.deepEqual(faults, []);
  });
  return { ...opened, asked, outcomes };
}

/** One end of a connection: what came, message by message. */
async function caller(port: number) {
  const socket: Socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true).on("error", () => undefined);
  whenDone(() => void socket.destroy());
  await once(socket, "connect");
  const came: DiameterMessage[] = [];
  const waiting: ((message: DiameterMessage | "closed") => void)[] = [];
  let rest = Buffer.alloc(0);
  let isClosed = false;
  socket.on("data", (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (let length = messageLength(rest, 0); length !== undefined && rest.length >= length; ) {
      const message = decodeDiameter(Uint8Array.from(rest.subarray(0, length)));
      rest = rest.subarray(length);
      const next = waiting.shift();
      if (next) next(message);
      else came.push(message);
      length = messageLength(rest, 0);
    }
  });
  socket.on("close", () => {
    isClosed = true;
    for (const next of waiting.splice(0)) next("closed");
  });
  const next = (): Promise<DiameterMessage | "closed"> => {
    const first = came.shift();
    if (first) return Promise.resolve(first);
    return isClosed ? Promise.resolve("closed") : new Promise((done) => waiting.push(done));
  };
  return {
    socket,
    next,
    async answer(): Promise<DiameterMessage> {
      const message = await next();
      return message === "closed" ? assert.fail("the connection has ended") : message;
    },
  };
}

const resultOf = (message: DiameterMessage): number | undefined => {
  const avp = avpOf(message, AVP.result);
  return avp && numberOf(message.octets, avp);
};

test("what comes octet by octet, or all in one, is answered alike: capabilities, then each question by its ids", async () => {
  const { port, asked } = await door({ answer: "black" });
  for (const chunks of [
    [...CER, ...ECR, ...vector("dia-dwr-fd")].map((octet) => Buffer.from([octet])),
    [Buffer.concat([CER, ECR, vector("dia-dwr-fd")])],
  ]) {
    const { socket, answer } = await caller(port);
    for (const chunk of chunks) socket.write(chunk);
    assert.equal(resultOf(await answer()), RESULT.success);
    const checked = await answer();
    assert.equal(readEquipmentAnswer(checked), "black");
    assert.deepEqual(
      [checked.hopByHop, checked.endToEnd],
      [decodeDiameter(ECR).hopByHop, decodeDiameter(ECR).endToEnd],
    );
    assert.equal(resultOf(await answer()), RESULT.success, "its watchdog");
    socket.destroy();
  }
  assert.deepEqual(
    asked.map(({ imei, softwareVersion, imsi }) => [imei, softwareVersion, imsi]),
    [
      ["356938035643809", "01", "001010000000001"],
      ["356938035643809", "01", "001010000000001"],
    ],
  );
});

test("who is not named, or offers no S13, is told so and cut off; who does not begin by saying who it is hears nothing", async () => {
  const { port, outcomes, asked } = await door();
  const stranger = decodeDiameter(vector("dia-cer-fd"));
  const named = encodeDiameter(
    stranger,
    stranger.avps.map((avp) =>
      avp.code === AVP.originHost
        ? encodeAvp(AVP.originHost, utf8("mme.other.example"))
        : wholeOf(stranger.octets, avp),
    ),
  );
  const without = encodeDiameter(
    stranger,
    stranger.avps.flatMap((avp) =>
      avp.code === AVP.vendorApplication || avp.code === AVP.authApplication
        ? []
        : [wholeOf(stranger.octets, avp)],
    ),
  );
  for (const [first, result] of [
    [named, RESULT.unknownPeer],
    [without, RESULT.noCommonApplication],
    [vector("dia-go-cer"), RESULT.unknownPeer],
  ] as const) {
    const { socket, answer, next } = await caller(port);
    socket.write(first);
    assert.equal(resultOf(await answer()), result);
    assert.equal(await next(), "closed");
  }
  const { socket, next } = await caller(port);
  socket.write(ECR);
  assert.equal(await next(), "closed");
  assert.deepEqual(asked, []);
  assert.equal(outcomes.filter((outcome) => outcome === "unknown_peer").length, 3);
});

test("an address that no peer has is not even read", async () => {
  const { port, outcomes } = await door({ isNear: false });
  const { next } = await caller(port);
  assert.equal(await next(), "closed");
  assert.deepEqual(outcomes, ["unknown_peer"]);
});

test("octets that are no Diameter end the connection, and nobody else's", async () => {
  const { port } = await door();
  const other = await caller(port);
  other.socket.write(CER);
  await other.answer();
  const { socket, next } = await caller(port);
  socket.write("GET / HTTP/1.1\r\nHost: eir\r\n\r\n");
  assert.equal(await next(), "closed");
  other.socket.write(ECR);
  assert.equal(readEquipmentAnswer(await other.answer()), "white");
});

/** The question of freeDiameter's MME with one AVP put in another's place. */
function changed(code: number, avp: Uint8Array): Uint8Array {
  const message = decodeDiameter(ECR);
  const avps = message.avps.map((one) => (one.code === code ? avp : wholeOf(message.octets, one)));
  return encodeDiameter(message, avps);
}

test("a question for another host or realm, of another application or command is refused with its result, and the connection stays", async () => {
  const { port } = await door();
  const { socket, answer } = await caller(port);
  socket.write(CER);
  await answer();
  const good = decodeDiameter(ECR);
  const own = good.avps.map((avp) => wholeOf(good.octets, avp));
  for (const [question, result, isProtocolError] of [
    [
      changed(AVP.destinationRealm, encodeAvp(AVP.destinationRealm, utf8("other.example"))),
      RESULT.realmNotServed,
      true,
    ],
    [
      encodeDiameter(good, [...own, encodeAvp(AVP.destinationHost, utf8("other.example"))]),
      RESULT.unableToDeliver,
      true,
    ],
    [encodeDiameter({ ...good, application: 16_777_251 }, own), RESULT.applicationUnsupported, true],
    [encodeDiameter({ ...good, command: 316 }, own), RESULT.commandUnsupported, true],
    [changed(1_401, encodeAvp(9_999, unsigned32(1))), RESULT.avpUnsupported, false],
    [vector("dia-pd-ecrempty"), RESULT.missingAvp, false],
  ] as const) {
    socket.write(question);
    const refusal = await answer();
    assert.equal(resultOf(refusal), result);
    assert.equal((refusal.flags & 0x20) !== 0, isProtocolError, `E with ${result}`);
    assert.equal(refusal.hopByHop, decodeDiameter(question).hopByHop);
  }
  socket.write(ECR);
  assert.equal(readEquipmentAnswer(await answer()), "white");
});

test("a peer that says nothing is asked whether it lives; without an answer the connection ends", async () => {
  const { port, outcomes } = await door({ watchdogMs: 700 });
  for (let connections = 1; ; connections++) {
    const { socket, answer, next } = await caller(port);
    socket.write(CER);
    await answer();
    const watchdog = await answer();
    assert.equal(watchdog.command, 280);
    socket.write(
      encodeDiameter(answerHead(watchdog, RESULT.success), [
        encodeAvp(AVP.result, unsigned32(RESULT.success)),
      ]),
    );
    const asked = await next();
    // A machine that stood still for so long has made the peer a silent one: another is asked.
    if (asked === "closed" && connections < 10) continue;
    assert.ok(asked !== "closed" && asked.command === 280, "it lives: it is asked again");
    assert.equal(await next(), "closed");
    break;
  }
  assert.deepEqual([outcomes[0], outcomes.at(-1)], ["capabilities", "silent"]);
});

test("who never says who it is is cut off", async () => {
  const { port } = await door({ firstMessageMs: 100 });
  const { next } = await caller(port);
  assert.equal(await next(), "closed");
});

test("a node that connects again has its old connection ended; both leave by a word", async () => {
  const { port, close } = await door();
  const first = await caller(port);
  first.socket.write(CER);
  await first.answer();
  const second = await caller(port);
  second.socket.write(CER);
  assert.equal(resultOf(await second.answer()), RESULT.success);
  assert.equal(await first.next(), "closed");
  const closed = close();
  const leaving = await second.answer();
  assert.equal(leaving.command, 282);
  second.socket.write(
    encodeDiameter(answerHead(leaving, RESULT.success), [encodeAvp(AVP.result, unsigned32(RESULT.success))]),
  );
  assert.equal(await second.next(), "closed");
  await closed;
});

test("a peer that is no longer named is cut off, and asks nothing more; the others stay", async () => {
  let isNamed = true;
  const { port, asked, recheck } = await door({ isNamed: () => isNamed });
  const { socket, answer, next } = await caller(port);
  socket.write(CER);
  await answer();
  recheck();
  socket.write(ECR);
  assert.equal(readEquipmentAnswer(await answer()), "white");
  isNamed = false;
  recheck();
  socket.write(ECR);
  assert.equal(await next(), "closed");
  assert.equal(asked.length, 1);
});

test("who never says who it is, octet by octet, is cut off as well", async () => {
  const { port } = await door({ firstMessageMs: 300 });
  const { socket, next } = await caller(port);
  let at = 0;
  const timer = setInterval(() => socket.write(CER.subarray(at, ++at)), 20); // 300 times: it would take six seconds to tell
  whenDone(() => clearInterval(timer));
  assert.equal(await next(), "closed");
  assert.ok(at < CER.length, "before it had told");
});

const tlsOf = () => {
  const authority = strangerAuthority();
  const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  return mutualTls({ ...own, authorities: authority.certificate }, { admitsOlder: true });
};

test("with TLS, too, an address that no peer has is cut off before any handshake", async () => {
  const { port, outcomes } = await door({ isNear: false, tls: tlsOf() });
  const { next } = await caller(port);
  assert.equal(await next(), "closed");
  assert.deepEqual(outcomes, ["unknown_peer"]);
});

test("a door with TLS closes although somebody never ends the handshake", async () => {
  const { port, close } = await door({ tls: tlsOf() });
  const { next } = await caller(port);
  await close();
  assert.equal(await next(), "closed");
});

test("other certificates are shown to peers that connect from now on", async () => {
  const { port, changeTls } = await door({ tls: tlsOf() });
  const authority = strangerAuthority();
  const [before, after] = ["before.example", "after.example"].map((name) =>
    pairOf(authority, { purpose: "server", names: [{ kind: "dns", name }] }),
  );
  const shownTo = (own: typeof before): Promise<string | undefined> => {
    changeTls(
      mutualTls({ ...(own ?? assert.fail()), authorities: authority.certificate }, { admitsOlder: true }),
    );
    return new Promise((done) => {
      const socket = connectTls({
        port,
        host: "127.0.0.1",
        ca: authority.certificate,
        checkServerIdentity: () => undefined,
      });
      socket.on("error", () => undefined); // it has no certificate to show
      socket.on("secureConnect", () => {
        done(socket.getPeerX509Certificate()?.subjectAltName);
        socket.destroy();
      });
    });
  };
  assert.deepEqual(
    [await shownTo(before), await shownTo(after)],
    ["DNS:before.example", "DNS:after.example"],
  );
});

test("a question whose fault is too long to be shown is refused without it, and the connection stays", async () => {
  const { port } = await door();
  const { socket, answer } = await caller(port);
  socket.write(CER);
  await answer();
  const good = decodeDiameter(ECR);
  const own = good.avps.map((avp) => wholeOf(good.octets, avp));
  socket.write(encodeDiameter(good, [...own, encodeAvp(9_999, new Uint8Array(65_000))]));
  const refusal = await answer();
  assert.deepEqual([resultOf(refusal), avpOf(refusal, AVP.failed)], [RESULT.avpUnsupported, undefined]);
  socket.write(ECR);
  assert.equal(readEquipmentAnswer(await answer()), "white");
});

test("a software version that is none is left out, and the question is answered", async () => {
  const { port, asked } = await door({ answer: "black" });
  const { socket, answer } = await caller(port);
  const of3gpp = (code: number, text: string) => encodeAvp(code, utf8(text), { vendor: VENDOR_3GPP });
  const terminal = grouped(of3gpp(1_402, "356938035643809"), of3gpp(1_403, "1"));
  socket.write(CER);
  await answer();
  socket.write(changed(1_401, encodeAvp(1_401, terminal, { vendor: VENDOR_3GPP })));
  assert.equal(readEquipmentAnswer(await answer()), "black");
  assert.deepEqual(
    asked.map(({ imei, softwareVersion }) => [imei, softwareVersion]),
    [["356938035643809", undefined]],
  );
});
