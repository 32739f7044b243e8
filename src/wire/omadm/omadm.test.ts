/** OMA DM 1.2: the specification's own values, messages as another encoder writes them, notifications, and what is refused. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DM_VECTORS, dmVector } from "../../../test/vector/oma-dm.ts";
import { bytesOf, hexOf } from "../hex.ts";
import { decodePush, encodePush } from "../wsp/push.ts";
import {
  credentialHash,
  decodeHmacHeader,
  encodeBasicCredential,
  encodeBodyMac,
  encodeHmacHeader,
  encodeMd5Credential,
} from "./auth.ts";
import { decodeDmWbxml, decodeDmXml, encodeDmWbxml, encodeDmXml, xmlOfDm } from "./codec.ts";
import {
  DM_APPLICATION_ID,
  decodeNotification,
  encodeNotification,
  isNotificationFrom,
  NOTIFICATION_CONTENT_TYPE,
  sessionIdText,
} from "./notification.ts";
import { type DmNode, encodeManagementTree } from "./tnds.ts";

const MESSAGES = DM_VECTORS.filter(({ id, xml }) => xml?.startsWith("<SyncML") && id !== "bootstrap-cp-w7");
const hexIn = (id: string): string => dmVector(id).hex ?? "";
const xmlIn = (id: string): string => dmVector(id).xml ?? "";
/** Without namespaces, and the type of a tree as libwbxml changes it. */
const plain = (xml: string) => xml.replace(/ xmlns="[^"]*"/g, "").replace("dmtnds+xml", "dmtnds+wbxml");

for (const { id } of MESSAGES) {
  test(`${id}: WBXML and XML are one message, and each is written as it was read`, () => {
    const fromWbxml = decodeDmWbxml(bytesOf(hexIn(id)));
    const xml = Buffer.from(xmlIn(id));
    const fromXml = decodeDmXml(xml);
    assert.equal(plain(Buffer.from(encodeDmXml(fromWbxml)).toString()), plain(xmlIn(id)));
    assert.equal(Buffer.from(encodeDmXml(fromXml)).toString(), xmlIn(id));
    assert.equal(xmlOfDm(encodeDmWbxml(fromXml)), xmlIn(id));
    // What we write we read again to the same.
    assert.equal(hexOf(encodeDmWbxml(decodeDmWbxml(encodeDmWbxml(fromXml)))), hexOf(encodeDmWbxml(fromXml)));
  });
}

for (const id of ["msg-pkg2-server-401", "msg-pkg4-server-end", "msg-next-message-1222"]) {
  test(`${id}: a server's message has the octets that libwbxml writes`, () => {
    assert.equal(hexOf(encodeDmWbxml(decodeDmXml(Buffer.from(xmlIn(id))))), hexIn(id));
  });
}

test("a tree of nodes is built as the specification's bootstrap has it, and stands inside as a document of its own", () => {
  const leaf = (name: string, value: string, format?: "b64"): DmNode => ({
    name,
    value,
    ...(format ? { format } : {}),
  });
  const auth = (name: string, level: string, user: string, secret: string, nonce: string): DmNode => ({
    name,
    nodes: [
      leaf("AAuthLevel", level),
      leaf("AAuthType", "DIGEST"),
      leaf("AAuthName", user),
      leaf("AAuthSecret", secret),
      leaf("AAuthData", nonce, "b64"),
    ],
  });
  const id = "com.mgmtsrv.manage";
  const tree = encodeManagementTree({
    name: "Turnup",
    object: "urn:oma:mo:oma-dm-dmacc:1.0",
    acl: `Get=${id}&Replace=${id}&Delete=${id}`,
    nodes: [
      leaf("AppID", "w7"),
      leaf("ServerID", id),
      leaf("Name", "Turnup DM"),
      leaf("AAuthPref", "DIGEST"),
      {
        name: "AppAddr",
        nodes: [
          {
            name: "1",
            nodes: [
              leaf("Addr", "https://dm.example.com/dm"),
              leaf("AddrType", "URI"),
              { name: "Port", nodes: [{ name: "1", nodes: [leaf("PortNbr", "443")] }] },
            ],
          },
        ],
      },
      {
        name: "AppAuth",
        nodes: [
          auth("1", "CLCRED", "Bruce2", "OhBehave", "Tm9uY2U="),
          auth("2", "SRVCRED", id, "srvpw", "TXlTZXJ2ZXJOb25jZQ=="),
        ],
      },
    ],
  });
  const [add] = decodeDmWbxml(bytesOf(hexIn("bootstrap-dm-tnds"))).commands;
  assert.ok(add?.name === "Add");
  const without = JSON.parse(
    JSON.stringify(add.items[0]?.data, (key, value) => (key === "at" ? undefined : value)),
  );
  assert.deepEqual(without, JSON.parse(JSON.stringify(tree)));
});

test("credentials are the specification's own values", () => {
  const hash = credentialHash("Bruce2", "OhBehave");
  assert.equal(encodeBasicCredential("Bruce2", "OhBehave"), dmVector("cred-basic-spec").text);
  assert.equal(encodeMd5Credential(hash, Buffer.from("Nonce")), dmVector("cred-md5-spec").text);
  const body = bytesOf(hexIn("msg-pkg1-client-md5"));
  const header = `x-syncml-hmac: ${encodeHmacHeader("Bruce2", encodeBodyMac(hash, Buffer.from("Nonce"), body))}`;
  assert.equal(header, dmVector("hmac-header-pkg1").text);
});

test("the header of a MAC is read in any order, quoted or not, and in the form of the specification's example", () => {
  const example = (dmVector("hmac-header-spec").text ?? "").replace("x-syncml-hmac: ", "");
  assert.deepEqual(decodeHmacHeader(example), {
    user: "Robert Jordan",
    mac: Buffer.from("52692a000661890bd75e17da7ffbbe39", "hex").toString("base64"),
  });
  assert.deepEqual(decodeHmacHeader('mac=JVw79PS1sNGYPzkJZExa1Q==,username="a \\"b\\""'), {
    user: 'a "b"',
    mac: "JVw79PS1sNGYPzkJZExa1Q==",
  });
  for (const text of [
    "",
    "mac=x",
    'username="u"',
    'algorithm=SHA1, username="u", mac=x',
    `username="${"u".repeat(2000)}"`,
  ])
    assert.throws(() => decodeHmacHeader(text), { name: "DecodeError" }, text.slice(0, 40));
});

const NOTIFICATIONS = DM_VECTORS.filter(({ group, input }) => group === "package0" && input);
for (const { id, input = {}, hex = "", smsUserDataHex } of NOTIFICATIONS) {
  test(`${id}: is read, its digest verified, and no other nonce or password fits`, () => {
    const bytes = bytesOf(hex);
    const serverId = String(input.serverId);
    const nonce = bytesOf(String(input.nonceHex));
    const secret = { hash: credentialHash(serverId, String(input.serverPassword)), nonce };
    const { vendor, version, ...read } = decodeNotification(bytes);
    assert.deepEqual(read, {
      uiMode: ["unspecified", "background", "informative", "interaction"][Number(input.uiMode)],
      initiator: Number(input.initiator) === 1 ? "server" : "user",
      sessionId: Number(input.sessionId),
      serverId,
    });
    assert.deepEqual([version, vendor.length], [Number(input.version), 0]);
    assert.ok(isNotificationFrom(bytes, secret));
    assert.ok(!isNotificationFrom(bytes, { ...secret, nonce: Buffer.from("other") }));
    assert.ok(!isNotificationFrom(bytes, { ...secret, hash: credentialHash(serverId, "other") }));
    for (const at of bytes.keys()) {
      const changed = Uint8Array.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      assert.ok(!isNotificationFrom(changed, secret), `octet ${at}`);
    }
    if (version !== 11) return;
    assert.equal(hexOf(encodeNotification(read, secret)), hex);
    const push = encodePush({
      transactionId: 1,
      contentType: NOTIFICATION_CONTENT_TYPE,
      applicationId: DM_APPLICATION_ID,
      body: bytes,
    });
    assert.equal(`0605040b8423f0${hexOf(push)}`, smsUserDataHex);
    assert.deepEqual(decodePush(push).body, bytes);
  });
}

test("a notification cut short, of session 0, or with a server id that is none, is refused", () => {
  const bytes = bytesOf(hexIn("pkg0-background-server"));
  for (let end = 0; end < bytes.length; end++)
    assert.throws(() => decodeNotification(bytes.subarray(0, end)), { name: "DecodeError" }, `${end} octets`);
  const noSession = Uint8Array.from(bytes);
  noSession.fill(0, 21, 23);
  assert.throws(() => decodeNotification(noSession), { name: "DecodeError", offset: 21 });
  const secret = { hash: "", nonce: new Uint8Array() };
  const one = { uiMode: "background", initiator: "server", sessionId: 1, serverId: "s" } as const;
  for (const more of [
    { sessionId: 0 },
    { sessionId: 65_536 },
    { serverId: "" },
    { serverId: "s".repeat(256) },
  ])
    assert.throws(() => encodeNotification({ ...one, ...more }, secret), { code: "payload_malformed" });
});

test("a session's number is upper-case hexadecimal without zeros in front", () => {
  assert.deepEqual([1, 0x1234, 0xffff].map(sessionIdText), ["1", "1234", "FFFF"]);
});

const HEADER =
  "<SyncHdr><VerDTD>1.2</VerDTD><VerProto>DM/1.2</VerProto><SessionID>1</SessionID><MsgID>1</MsgID>" +
  "<Target><LocURI>t</LocURI></Target><Source><LocURI>s</LocURI></Source></SyncHdr>";
test("children in another order, prefixes and a missing reference of the header are read, as real clients write them", () => {
  const { commands, isFinal } = decodeDmXml(
    Buffer.from(
      `<?xml version="1.0"?><x:SyncML xmlns:x="SYNCML:SYNCML1.2">${HEADER}<x:SyncBody><Final/><Status><Data>200</Data><Cmd>SyncHdr</Cmd>` +
        "<MsgRef>1</MsgRef><CmdID>1</CmdID></Status><Get><Item><Target><LocURI>./DevInfo</LocURI></Target></Item><CmdID>2</CmdID></Get></x:SyncBody></x:SyncML>",
    ),
  );
  const [status, get] = commands;
  assert.ok(isFinal && status?.name === "Status" && get?.name === "Get");
  assert.deepEqual([status.cmdRef, status.code, get.items[0]?.target], ["0", 200, "./DevInfo"]);
});

test("a message that lacks what it needs, nests groups without end, or declares entities, is refused", () => {
  const body = (inside: string) => `<SyncML>${HEADER}<SyncBody>${inside}</SyncBody></SyncML>`;
  const group = (depth: number): string =>
    depth === 0 ? "" : `<Sequence><CmdID>1</CmdID>${group(depth - 1)}</Sequence>`;
  for (const text of [
    "<SyncML/>",
    `<SyncML>${HEADER}</SyncML>`,
    "<Other/>",
    body("<Shoe><CmdID>1</CmdID></Shoe>"),
    body("<Get/>"),
    body("<Alert><CmdID>1</CmdID><Data>x</Data></Alert>"),
    body("<Status><CmdID>1</CmdID><MsgRef>1</MsgRef><Cmd>Get</Cmd><Data>200</Data></Status>"),
    body(group(4)),
    body("<Get><CmdID>1</CmdID></Get>".repeat(257)),
    body("").replace("DM/1.2", "DS/1.2"),
    body("").replace("<MsgID>1</MsgID>", ""),
    `<!DOCTYPE SyncML [<!ENTITY a "b">]>${body("")}`,
  ])
    assert.throws(() => decodeDmXml(Buffer.from(text)), { name: "DecodeError" }, text.slice(0, 80));
});

test("a tree inside that is damaged is told at its place, and more than a few are refused", () => {
  const bytes = bytesOf(hexIn("bootstrap-dm-tnds"));
  const inner = Buffer.from(bytes).indexOf(Buffer.from("02 00 00 6a 1b".replaceAll(" ", ""), "hex"));
  const damaged = Uint8Array.from(bytes);
  damaged[inner + 34] = 0x7f;
  assert.throws(
    () => decodeDmWbxml(damaged),
    (error: Error & { offset?: number }) => {
      assert.match(error.message, /^inside: /);
      assert.ok((error.offset ?? 0) > inner);
      return error.name === "DecodeError";
    },
  );
  const message = decodeDmWbxml(bytes);
  const five = {
    ...message,
    commands: Array.from({ length: 5 }, () => message.commands[0]).filter((one) => one !== undefined),
  };
  assert.throws(() => decodeDmWbxml(encodeDmWbxml(five)), /more than 4 documents inside/);
});
