/** The explorer: every vector, in whatever form it is given, field by field; what is wrong is named and never guessed. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { captureOf } from "../../../test/fixture/capture.ts";
import { isWbxmlLayer, VECTORS } from "../../../test/vector/oma-cp.ts";
import { DM_VECTORS, dmVector } from "../../../test/vector/oma-dm.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { encodeProvisioning } from "../omacp/codec.ts";
import { macOf } from "../omacp/mac.ts";
import { documentOfXml } from "../omacp/xml.ts";
import { encodePdu, makePdu, type PduInit } from "../smpp/pdu.ts";
import { splitUserData } from "../sms/split.ts";
import { encodePush } from "../wsp/push.ts";
import { explore } from "./explore.ts";
import type { ExploredMessage } from "./field.ts";

const text = (value: string) => new TextEncoder().encode(value);
const layersOf = ({ layers }: ExploredMessage) => layers.map(({ layer }) => layer);
const codesOf = ({ findings }: ExploredMessage) => findings.map(({ code }) => code);
const only = (found: ReturnType<typeof explore>): ExploredMessage => {
  const [message, ...more] = found.messages;
  assert.ok(message && more.length === 0, `${found.messages.length} messages`);
  return message;
};
/** Fields lie inside their layer, in order, and show the octets that stand there. */
function holdsTogether({ layers }: ExploredMessage): void {
  for (const { layer, fields } of layers) {
    let last = 0;
    for (const field of fields) {
      assert.ok(field.offset >= last && field.length >= 0, `${layer} ${field.name} at ${field.offset}`);
      assert.ok(field.octets.length <= 2 * Math.min(field.length, 64), `${layer} ${field.name}`);
      assert.ok(field.clause !== "", `${layer} ${field.name}`);
      last = field.offset;
    }
  }
}

for (const vector of VECTORS) {
  const { id, hex, segments, pdus, auth, expected } = vector;
  const secret = { ...(auth?.pin ? { pin: auth.pin } : {}), ...(auth?.imsi ? { imsi: auth.imsi } : {}) };
  test(`the explorer tells ${id} layer by layer, from hexadecimal, Base64 and octets alike`, () => {
    const bytes = bytesOf(hex);
    const message = only(explore(text(hex), { secret }));
    assert.equal(message.xml, expected.xml);
    holdsTogether(message);
    for (const other of [text(Buffer.from(bytes).toString("base64")), bytes]) {
      assert.deepEqual(only(explore(other, { secret })), message);
    }
    if (isWbxmlLayer(vector)) return;
    assert.equal(layersOf(message)[0], "wsp");
    assert.equal(message.signature?.isRight ?? null, auth?.valid ?? null);
    assert.equal(codesOf(message).includes("bad_mac"), auth?.valid === false);
  });
  if (segments) {
    test(`the explorer joins the parts of ${id}, one a line, in any order`, () => {
      const message = only(explore(text(segments.toReversed().join("\n")), { secret }));
      assert.equal(message.xml, expected.xml);
      assert.equal(layersOf(message).filter((layer) => layer === "udh").length, segments.length);
      holdsTogether(message);
    });
  }
  if (pdus) {
    test(`the explorer reads ${id} out of PDUs, and out of captures of every kind, with the packets that brought it`, () => {
      const fromHex = only(explore(text(pdus.join("\n")), { secret }));
      assert.equal(fromHex.xml, expected.xml);
      holdsTogether(fromHex);
      for (const kind of ["pcap", "pcap-little", "pcapng", "raw-ipv6", "cooked"] as const) {
        const capture = captureOf(kind, pdus.map(bytesOf));
        const found = explore(capture, { secret });
        assert.equal(found.form, "capture");
        const message = only(found);
        assert.deepEqual([message.xml, message.destination], [fromHex.xml, fromHex.destination], kind);
        assert.ok(message.packets.length === pdus.length && message.stream?.endsWith(":2775"), kind);
        assert.deepEqual(found.findings, []);
      }
    });
  }
}

for (const { id, hex = "", group } of DM_VECTORS.filter(
  (one) => one.group !== "auth" && !one.hex?.includes("x"),
)) {
  test(`the explorer tells ${id}, of OMA DM`, () => {
    if (group === "package0") {
      const sms = explore(text(dmVector(id).smsUserDataHex ?? ""));
      const message = only(sms);
      assert.deepEqual(layersOf(message), ["udh", "wsp", "dm-notification"]);
      const fields = message.layers.at(-1)?.fields ?? [];
      assert.equal(fields.find(({ name }) => name === "server id")?.value, "com.mgmtsrv.manage");
      return;
    }
    const message = only(explore(text(hex)));
    assert.deepEqual(
      codesOf(message).filter((code) => code === "malformed"),
      [],
    );
    assert.ok(message.xml?.startsWith(id === "bootstrap-cp-w7" ? "<wap-provisioningdoc" : "<SyncML"));
    holdsTogether(message);
  });
}

const XML =
  '<wap-provisioningdoc version="1.1"><characteristic type="NAPDEF"><parm name="NAPID" value="N1"/><parm name="NAME" value="Net"/>' +
  '<parm name="NAP-ADDRESS" value="net"/><parm name="NAP-ADDRTYPE" value="APN"/><parm name="LOCAL-ADDR" value="010.0.0.1"/></characteristic>' +
  '<characteristic type="APPLICATION"><parm name="APPID" value="w2"/><parm name="TO-NAPID" value="N1"/></characteristic></wap-provisioningdoc>';
const WBXML = encodeProvisioning(documentOfXml(Buffer.from(XML)));
const PIN = "1234";
const push = (mac: string) =>
  encodePush({
    transactionId: 1,
    contentType: "application/vnd.wap.connectivity-wbxml",
    sec: "userpin",
    mac,
    body: WBXML,
  });

test("each field has its offset, octets, meaning and clause, and traps of phones are told by their code", () => {
  const message = only(explore(push(macOf("userpin", { pin: PIN }, WBXML)), { secret: { pin: PIN } }));
  assert.deepEqual(layersOf(message), ["wsp", "wbxml", "oma-cp"]);
  const field = message.layers[2]?.fields.find(
    ({ name }) => name === "wap-provisioningdoc/NAPDEF/NAP-ADDRESS",
  );
  assert.deepEqual(
    [field?.value, field?.meaning, field?.clause],
    ["net", "the access point name", "OMA-WAP-ProvCont 1.1 §4.5.3"],
  );
  assert.equal(
    hexOf(WBXML.subarray(field?.offset ?? 0, (field?.offset ?? 0) + (field?.length ?? 0))),
    field?.octets,
  );
  assert.equal(field?.octets, "870806036e65740001");
  assert.deepEqual([message.signature?.isRight, codesOf(message)], [true, ["leading_zeros"]]);
});

test("a wrong MAC, one in lower case, and a document without any are told by their names", () => {
  const right = macOf("userpin", { pin: PIN }, WBXML);
  const secret = { pin: PIN };
  assert.deepEqual(codesOf(only(explore(push(right), { secret: { pin: "4711" } }))), [
    "leading_zeros",
    "bad_mac",
  ]);
  const lower = only(explore(push(right.toLowerCase()), { secret }));
  assert.deepEqual([lower.signature?.isRight, codesOf(lower)], [true, ["leading_zeros", "mac_lower_case"]]);
  assert.equal(only(explore(push(right))).signature?.isRight, null);
  const unsigned = encodePush({
    transactionId: 1,
    contentType: "application/vnd.wap.connectivity-wbxml",
    body: WBXML,
  });
  assert.deepEqual(codesOf(only(explore(unsigned))), ["leading_zeros", "unsigned"]);
});

test("a message that is cut short shows the layers that are whole, and where it breaks", () => {
  const whole = push(macOf("userpin", { pin: PIN }, WBXML));
  const message = only(explore(whole.subarray(0, whole.length - 4)));
  assert.equal(layersOf(message)[0], "wsp");
  const broken = message.findings.find(({ code }) => code === "malformed");
  assert.deepEqual([broken?.layer, typeof broken?.offset], ["oma-cp", "number"]);
  for (let end = 1; end < whole.length; end++) {
    try {
      explore(whole.subarray(0, end));
    } catch (error) {
      assert.equal((error as Error).name, "DecodeError", `${end} octets`);
    }
  }
});

test("a part that never came, and parts of two messages, are told", () => {
  const parts = splitUserData(push(macOf("userpin", { pin: PIN }, WBXML)), {
    destPort: 2948,
    srcPort: 9200,
    reference: 7,
    referenceBits: 8,
  });
  const hex = parts.map(({ udh, data }) => hexOf(udh) + hexOf(data));
  assert.ok(hex.length > 1);
  const message = only(explore(text(hex[0] ?? "")));
  assert.deepEqual(codesOf(message), ["parts_missing"]);
  assert.match(message.findings[0]?.fact ?? "", /^of 2 parts these are missing: 2$/);
});

test("XML is read as settings or as a message of OMA DM; of what nothing here reads, the root is told", () => {
  assert.deepEqual(codesOf(only(explore(text(XML)))), ["leading_zeros"]);
  assert.deepEqual(codesOf(only(explore(text(dmVector("msg-pkg4-server-end").xml ?? "")))), []);
  const other = only(explore(text("<settings/>")));
  assert.deepEqual(
    [codesOf(other), other.findings[0]?.fact],
    [["content_unknown"], "nothing here reads a document whose root is settings"],
  );
  assert.deepEqual(codesOf(only(explore(text('<!DOCTYPE a [<!ENTITY x "y">]><a/>')))), ["malformed"]);
});

const submit = (more: PduInit<"submit_sm">) =>
  encodePdu(makePdu("submit_sm", 1, { destination_addr: "491511234567", ...more }));

test("passwords of a bind are never shown, and PDUs that carry no message stand by themselves", () => {
  const bind = encodePdu(makePdu("bind_transceiver", 1, { system_id: "turnup", password: "s3cret" }));
  const message = only(explore(bind));
  assert.ok(!JSON.stringify(message).includes("s3cret"));
  assert.ok(!JSON.stringify(message).includes(hexOf(text("s3cret"))));
  assert.equal(message.layers[0]?.title, "1: bind_transceiver");
});

test("a text, and PDUs that are damaged, are told in their order", () => {
  const good = submit({ short_message: text("Hello"), data_coding: 3 });
  const bad = Uint8Array.from(good);
  bad.fill(0x41, 17, 40);
  const capture = captureOf("pcap", [good, bad]);
  const { messages } = explore(capture);
  assert.deepEqual(messages.map(layersOf), [["smpp", "text"], []]);
  assert.equal(messages[0]?.layers[1]?.title, "Hello");
  assert.deepEqual(messages.map(codesOf), [[], ["malformed"]]);
});

test("segments out of order and sent again are put right; what is missing from a capture is told", () => {
  const pdus = ["a", "b", "c"].map((one) => submit({ short_message: text(one), data_coding: 3 }));
  const inOrder = explore(captureOf("pcap", pdus)).messages.map(({ layers }) => layers[1]?.title);
  assert.deepEqual(inOrder, ["a", "b", "c"]);
  const troubled = explore(captureOf("pcap", pdus, { isTroubled: true }));
  assert.deepEqual(
    [troubled.messages.map(({ layers }) => layers[1]?.title).toSorted(), troubled.findings],
    [["a", "b", "c"], []],
  );
  const lossy = explore(captureOf("pcap", pdus, { without: 1 }));
  assert.deepEqual([lossy.messages.length, lossy.findings.map(({ code }) => code)], [1, ["capture_gap"]]);
});

test("a capture without SMPP says so; one cut short, or whose lengths are none, is refused", () => {
  const none = explore(captureOf("pcap", [text("GET / HTTP/1.1\r\n\r\n")]));
  assert.deepEqual([none.messages, none.findings.map(({ code }) => code)], [[], ["no_smpp"]]);
  for (const kind of ["pcap", "pcapng"] as const) {
    const capture = captureOf(kind, [submit({})]);
    for (let end = 24; end < capture.length; end++) {
      try {
        explore(capture.subarray(0, end));
      } catch (error) {
        assert.equal((error as Error).name, "DecodeError", `${kind}, ${end} octets`);
      }
    }
  }
});

test("what begins as no layer, and what is too long, is refused", () => {
  for (const input of ["", "hello world, this is no message!", "ff00", "f".repeat(9)])
    assert.throws(() => explore(text(input)), { name: "DecodeError" }, input);
  assert.throws(() => explore(new Uint8Array(8_388_609)), /more than 8388608 octets/);
  const link = "00000010000000150000000000000001"; // enquire_link
  assert.equal(explore(text(link.repeat(5_000))).messages.length, 5_000);
  assert.throws(() => explore(text(link.repeat(5_001))), /more than 5000 PDUs/);
  const part = "0500030102017f\n";
  assert.throws(() => explore(text(part.repeat(256))), /more than 255 parts/);
});
