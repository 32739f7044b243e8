/** What bearer, band and model decide about the messages of an order (R30, R31, R125, R127). */
import assert from "node:assert/strict";
import { test } from "vitest";
import { CHOICE, makerKey, type TestEngine } from "../../../test/fixture/order-engine.ts";
import { answer, item, messagesOf, opened } from "../../../test/fixture/order-steps.ts";
import { decodeNokiaOta, NOKIA_BOOKMARKS } from "../../wire/nokiaota/codec.ts";
import { decodeSi, decodeSl, SI_CONTENT_TYPE } from "../../wire/si/codec.ts";
import { decodeUdh } from "../../wire/sms/udh.ts";
import { decodePush } from "../../wire/wsp/push.ts";
import { DEFAULT_POLICY } from "../operator/policy.ts";
import { cutMessage } from "../payload/compose.ts";

// ---- bearers

const POINT = CHOICE.kind === "chosen" ? CHOICE.values.points[0]! : undefined;
const THREE_USES = {
  ...CHOICE,
  values: { name: "Meridian", points: ["internet", "mms", "wap"].map((apn) => ({ ...POINT!, apn })) },
} as typeof CHOICE;
const payloadOf = ({ books }: TestEngine, { payloadId }: { readonly payloadId: string }) =>
  books.payloads.get(payloadId)!;
const onTdma = (partsMax: number) =>
  ({ unknownBearer: "tdma", bearers: { tdma: { partsMax, partOctets: 140 } } }) as const;

test("R31: settings that are more than the bearer carries go in a message a use, and each message tells the rule", async () => {
  const { engine, orderId } = await opened({
    policy: onTdma(2),
    relation: null,
    choice: THREE_USES,
  });
  const sent = messagesOf(engine, "settings");
  assert.equal(sent.length, 3);
  assert.equal(item(engine, orderId, "settings").state, "sending");
  for (const message of sent) {
    assert.ok(message.partCount <= 2, `${message.partCount} parts`);
    const { air } = payloadOf(engine, message);
    assert.deepEqual([air?.bearer, air?.channel, air?.partOctets], ["tdma", "narrowband", 140]);
    assert.match(air?.rule ?? "", /octets are too many for tdma: a message a use/);
  }
  const wide = await opened({ relation: null, choice: THREE_USES });
  assert.equal(messagesOf(wide.engine, "settings").length, 1);
  assert.equal(payloadOf(wide.engine, messagesOf(wide.engine, "settings")[0]!).air?.bearer, "gsm");
});

/** The message of a link as it arrives, joined. */
function pushedLink(engine: TestEngine) {
  const [message] = messagesOf(engine, "link");
  const { protocol, bytes, air } = payloadOf(engine, message!);
  const { dataCoding, parts } = cutMessage(protocol, bytes, 1);
  const push = protocol === "text" ? null : decodePush(bytes);
  return {
    protocol,
    push,
    dataCoding,
    port: parts[0]!.udh.length > 0 ? decodeUdh(parts[0]!.udh).destPort : null,
    air,
  };
}

test("a link goes by the push that the data says the model takes: indication, loading or bookmark, each with the link alone in its place", async () => {
  const by = async (linkPush: "si" | "sl" | "bookmark") =>
    pushedLink((await opened({ relation: null, judgement: { protocol: "link", linkPush } })).engine);
  const indication = await by("si");
  const si = decodeSi(indication.push!.body);
  assert.deepEqual(
    [indication.protocol, indication.push?.contentType, indication.port],
    ["si", SI_CONTENT_TYPE, 2948],
  );
  assert.match(si.href ?? "", /^https?:\/\/.*\/s\//);
  assert.ok(si.text.includes(si.href ?? "none"), si.text);
  assert.ok(si.created && si.expires && si.created < si.expires);
  assert.match(indication.air?.rule ?? "", /Service Indication, which the model takes/);
  const loading = await by("sl");
  assert.match(decodeSl(loading.push!.body).href, /\/s\//);
  const bookmark = await by("bookmark");
  assert.deepEqual(
    [bookmark.protocol, bookmark.push?.contentType, bookmark.port],
    ["nokiaota", NOKIA_BOOKMARKS, 49999],
  );
  const [one] = decodeNokiaOta(bookmark.push!.body).characteristics;
  assert.deepEqual([one?.type, one?.parms.map(({ name }) => name)], ["BOOKMARK", ["NAME", "URL"]]);
});

test("a link whose push is more than the bearer carries, or of whose model nothing is known, goes as a text", async () => {
  const small = { ...onTdma(1), bearers: { tdma: { partsMax: 1, partOctets: 90 } } } as const;
  const narrow = await opened({
    policy: small,
    relation: null,
    judgement: { protocol: "link", linkPush: "si" },
  });
  assert.equal(pushedLink(narrow.engine).protocol, "text");
  const unknown = await opened({ relation: null, judgement: { protocol: "link" } });
  assert.equal(pushedLink(unknown.engine).protocol, "text");
});

test("R31: settings of which no form fits the bearer are refused with both figures, and the order ends by it", async () => {
  const { engine, orderId } = await opened({ policy: onTdma(1), relation: null, choice: THREE_USES });
  const { state, cause, reason } = item(engine, orderId, "settings");
  assert.deepEqual([state, cause], ["failed", "bearer_too_narrow"]);
  assert.match(
    reason,
    /settings of \d+ octets is more than tdma carries in one message \(1 SMS of 140 octets\)/,
  );
  assert.equal(engine.order(orderId).state, "failed");
  assert.equal(engine.books.messages.size, 0);
});

test("R30: where the bearer does not carry the protocol of the model, a smaller one that the model takes is sent, and the record says which and why", async () => {
  const others = ["nokiaota", "link"] as const;
  const policy = { unknownBearer: "tdma", bearers: { tdma: { partsMax: 1, partOctets: 140 } } } as const;
  const { engine, orderId } = await opened({
    policy,
    relation: null,
    choice: THREE_USES,
    judgement: { otherProtocols: others },
  });
  const sent = messagesOf(engine, "settings");
  assert.ok(sent.length > 0);
  for (const message of sent) {
    const { protocol, air } = payloadOf(engine, message);
    assert.deepEqual([protocol, message.partCount], ["nokiaota", 1]);
    assert.match(
      air?.rule ?? "",
      /^\d+ octets as omacp are too many for tdma: nokiaota, which the model takes too/,
    );
  }
  const said = engine.books.events
    .filter((one) => one.orderId === orderId)
    .map(({ detail }) => JSON.stringify(detail));
  assert.ok(
    said.some((detail) =>
      /"protocol":"nokiaota".*"insteadOf":\{"protocol":"omacp","octets":\d+\}/.test(detail),
    ),
  );
  assert.equal(item(engine, orderId, "settings").state, "sending");

  const narrow = await opened({
    policy: { ...policy, bearers: { tdma: { partsMax: 1, partOctets: 80 } } },
    relation: null,
    choice: THREE_USES,
    judgement: { otherProtocols: others },
  });
  const [link] = messagesOf(narrow.engine, "link");
  assert.ok(link, "of the three the text alone fits");
  const { protocol, air } = payloadOf(narrow.engine, link);
  assert.deepEqual([protocol, link.partCount], ["text", 1]);
  assert.match(air?.rule ?? "", /omacp are too many for tdma: link, which the model takes too/);
});

test("R30: a text with a link of more parts than the bearer joins goes in its short form, and is refused where that is too long too", async () => {
  const long = `{operator}: ${"please open this page on your phone and do as it says, ".repeat(6)}{link}`;
  const open = (partsMax: number, partOctets: number) =>
    opened({
      policy: {
        unknownBearer: "tdma",
        bearers: { tdma: { partsMax, partOctets } },
        texts: { ...DEFAULT_POLICY.texts, link: long },
      },
      relation: null,
      judgement: { protocol: "link" },
    });
  const textOf = ({ engine }: Awaited<ReturnType<typeof open>>) => {
    const [message] = messagesOf(engine, "link");
    assert.ok(message);
    const { bytes, air } = payloadOf(engine, message);
    return { text: new TextDecoder().decode(bytes), parts: message.partCount, rule: air?.rule ?? "" };
  };
  const whole = textOf(await open(255, 140));
  assert.match(whole.text, /do as it says/);
  const short = textOf(await open(1, 140));
  assert.equal(short.parts, 1);
  assert.match(short.text, /^Meridian: https:\/\/\S+$/);
  assert.match(short.rule, /in its short form: \d+ octets are too many for tdma/);
  const refused = await open(1, 20);
  const { state, cause, reason } = item(refused.engine, refused.orderId, "settings");
  assert.deepEqual([state, cause], ["failed", "bearer_too_narrow"]);
  assert.match(
    reason,
    /a text with a link of \d+ octets is more than tdma carries .* \(1 SMS of 20 octets\)/,
  );
  assert.equal(refused.engine.books.messages.size, 0);
});

test("R31: key and settings that fit the bearer one by one and not together go in two messages", async () => {
  const { engine } = await opened({
    policy: { package: "together", ...onTdma(4) },
    choice: THREE_USES,
  });
  await answer(engine, "key_request", { kind: "key", bytes: makerKey("one") });
  assert.equal(messagesOf(engine, "package").length, 0);
  assert.equal(messagesOf(engine, "key").length, 1);
  assert.ok(messagesOf(engine, "settings").length >= 1);
});

test("R30: a message is cut as its bearer carries it", async () => {
  const { engine } = await opened({ policy: { unknownBearer: "phs" }, relation: null, choice: THREE_USES });
  const [phs] = messagesOf(engine, "settings");
  const gsm = await opened({ relation: null, choice: THREE_USES });
  assert.ok(phs!.partCount > messagesOf(gsm.engine, "settings")[0]!.partCount);
  assert.equal(payloadOf(engine, phs!).air?.partOctets, 90);
});
// ---- models

test("R125: a handset that has no band of the network gets nothing sent there, and the order says why it waits", async () => {
  const service = { answer: "no", common: [], plmn: "26201" } as const;
  const { engine, orderId } = await opened({ relation: null, judgement: { service } });
  const { state, reason } = engine.order(orderId);
  assert.equal(state, "waiting");
  assert.match(reason, /none of the bands of network 26201/);
  assert.equal(engine.books.messages.size, 0);
});

test("R127: on a model whose access points are all blocked the key still goes, and the settings say why they do not", async () => {
  const reason = "the maker lets nobody set this access point on the model (its letter): internet";
  const { engine, orderId } = await opened({
    relation: { keySource: "own" },
    choice: { kind: "refused", code: "access_points_blocked", reason },
  });
  const settings = item(engine, orderId, "settings");
  assert.deepEqual(
    [settings.state, settings.cause, settings.reason],
    ["failed", "access_points_blocked", reason],
  );
  assert.equal(item(engine, orderId, "key").state, "sending");
  assert.equal(messagesOf(engine, "key").length, 1);
  assert.equal(messagesOf(engine, "settings").length, 0);
  const alone = await opened({
    relation: null,
    choice: { kind: "refused", code: "access_points_blocked", reason },
  });
  assert.equal(alone.engine.order(alone.orderId).state, "failed");
});
