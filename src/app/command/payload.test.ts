/** The command line's way through the provisioning codecs: every vector, there and back, and what it refuses. */
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { test } from "vitest";
import { captureOf } from "../../../test/fixture/capture.ts";
import { isWbxmlLayer, VECTORS, type Vector } from "../../../test/vector/oma-cp.ts";
import { dmVector } from "../../../test/vector/oma-dm.ts";
import { SAMPLES } from "../../../test/vector/settings-samples.ts";
import { jsonOfCharacteristics } from "../../wire/omacp/json.ts";
import type { CommandEntry } from "../terminal/command.ts";
import { runCli } from "../terminal/runner.ts";
import { payloadDecodeCommand, payloadEncodeCommand } from "./payload.ts";
import { payloadNotifyCommand } from "./payload-notify.ts";

const ENTRIES: readonly CommandEntry[] = [
  payloadDecodeCommand,
  payloadEncodeCommand,
  payloadNotifyCommand,
].map((command) => ({
  name: command.name,
  summary: command.summary,
  load: async () => command,
}));

async function turnup(argv: readonly string[], stdin = "") {
  const written = { stdout: "", stderr: "" };
  const into = (name: "stdout" | "stderr") =>
    new Writable({
      write(chunk, _encoding, done) {
        written[name] += chunk;
        done();
      },
    });
  const exitCode = await runCli(ENTRIES, ["payload", ...argv], {
    stdin: Readable.from([Buffer.from(stdin)]),
    stdout: into("stdout"),
    stderr: into("stderr"),
    env: {},
    now: () => new Date(0),
    version: "0",
    signal: new AbortController().signal,
  });
  return { exitCode, ...written };
}

async function json(argv: readonly string[], stdin = "") {
  const { exitCode, stdout, stderr } = await turnup([...argv, "--json"], stdin);
  assert.equal(exitCode, 0, stderr);
  return JSON.parse(stdout);
}

const secretOf = ({ auth }: Vector): string[] => [
  ...(auth?.pin ? ["--pin", auth.pin] : []),
  ...(auth?.imsi ? ["--imsi", auth.imsi] : []),
];

for (const vector of VECTORS) {
  const { expected, auth, segments, pdus } = vector;
  const document = isWbxmlLayer(vector);

  test(`payload decode shows ${vector.id} as ${document ? "a document" : "a push"}`, async () => {
    const header = document && auth ? ["--sec", auth.sec.toLowerCase(), "--mac", auth.mac] : [];
    const layer = document ? "wbxml" : "push";
    const read = await json(["decode", vector.hex, "--as", layer, ...header, ...secretOf(vector)]);
    assert.equal(read.xml, expected.xml);
    assert.deepEqual(read.wsp, expected.wsp ?? null);
    assert.equal(read.sec, auth?.sec.toLowerCase() ?? null);
    assert.equal(read.mac, auth?.mac ?? null);
    assert.equal(read.macVerified, auth?.valid ?? null);
    assert.equal(read.udh, null);
    assert.equal(read.smpp, null);
    assert.equal(read.characteristics !== null, expected.xml.startsWith("<wap-provisioningdoc"));
  });

  if (segments) {
    test(`payload decode joins the parts of ${vector.id}, in any order`, async () => {
      for (const inputs of [segments, segments.toReversed()]) {
        const read = await json(["decode", ...inputs, "--as", "parts", ...secretOf(vector)]);
        assert.equal(read.xml, expected.xml);
        assert.deepEqual(read.udh, expected.udh);
        assert.deepEqual(read.wsp, expected.wsp);
        assert.equal(read.macVerified, auth?.valid ?? null);
      }
    });
  }

  if (pdus) {
    test(`payload decode reads the PDUs of ${vector.id}, a line each on standard input`, async () => {
      const read = await json(
        ["decode", "-", "--as", "smpp", ...secretOf(vector)],
        `${pdus.toReversed().join("\n")}\n`,
      );
      assert.equal(read.xml, expected.xml);
      assert.deepEqual(read.udh, expected.udh);
      const { more_messages_to_send_tlv_0426: _, ...fields } = expected.smpp!;
      const shown = Object.entries(read.smpp).filter(([name]) => name in fields);
      assert.deepEqual(Object.fromEntries(shown), fields);
    });
  }
}

test("payload encode writes the sample's octets, its MAC and parts that decode to it", async () => {
  for (const { document, hex, mac } of SAMPLES) {
    const file = JSON.stringify({
      version: document.version,
      characteristics: jsonOfCharacteristics(document.characteristics),
    });
    const encoded = await json(["encode", "-", "--sec", "USERPIN", "--pin", "1234"], file);
    assert.equal(encoded.wbxml, hex);
    assert.equal(encoded.mac, mac);
    assert.equal(encoded.parts.length, hex === SAMPLES[0]!.hex ? 2 : 3);
    const parts = encoded.parts.map((part: { udh: string; data: string }) => part.udh + part.data);
    const read = await json(["decode", ...parts, "--as", "parts", "--pin", "1234"]);
    assert.equal(read.macVerified, true);
    const again = await json(["encode", "-", "--sec", "userpin", "--pin", "1234"], JSON.stringify(read));
    assert.deepEqual(again, encoded);
  }
});

test("payload encode without --sec leaves the push unsigned; with a file and in text too", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "turnup-")), "settings.json");
  writeFileSync(file, '\ufeff{"characteristics":[]}');
  const encoded = await json(["encode", file]);
  assert.deepEqual(encoded, {
    wbxml: "030b6a00854601",
    push: "010601b6030b6a00854601",
    mac: null,
    parts: [{ udh: "0605040b8423f0", data: "010601b6030b6a00854601" }],
    warnings: encoded.warnings,
  });
  const { stdout } = await turnup(["encode", file]);
  assert.match(stdout, /^mac {5}none: the push is unsigned$/m);
});

test("payload encode takes a wap-provisioningdoc in XML, to the octets of the same in JSON, and warns of what phones reject", async () => {
  const xml =
    '<wap-provisioningdoc version="1.1"><characteristic type="NAPDEF"><parm name="NAME" value="M"/>' +
    '<parm name="NAP-ADDRESS" value="net"/><parm name="NAP-ADDRTYPE" value="APN"/><parm name="INTERNET"/></characteristic>' +
    '<characteristic type="APPLICATION"><parm name="APPID" value="w2"/></characteristic></wap-provisioningdoc>';
  const encoded = await json(["encode", "-"], xml);
  const read = await json(["decode", encoded.wbxml, "--as", "wbxml"]);
  assert.equal(read.xml, xml);
  assert.deepEqual(await json(["encode", "-"], JSON.stringify(read)), encoded);
  assert.deepEqual(
    encoded.warnings.map(({ code }: { code: string }) => code),
    ["napid_missing"],
  );
  const { stdout } = await turnup(["encode", "-"], xml);
  assert.match(stdout, /^warning napid_missing NAPDEF: no NAPID: .*\(ProvCont 1\.1 §4\.5\.3\)$/m);
  assert.equal((await turnup(["encode", "-"], "<settings/>")).exitCode, 1);
});

test("payload decode without --as looks into whatever it is given: arguments, standard input, a capture in a file", async () => {
  const {
    pdus = [],
    hex,
    expected,
    auth,
  } = VECTORS.find((one) => one.pdus && one.auth?.valid && one.auth.sec === "USERPIN") ??
  assert.fail("no such vector");
  const pin = ["--pin", auth?.pin ?? ""];
  const file = join(mkdtempSync(join(tmpdir(), "turnup-")), "smpp.pcap");
  writeFileSync(
    file,
    captureOf(
      "pcap",
      pdus.map((pdu) => Buffer.from(pdu, "hex")),
    ),
  );
  const inputs = [
    { argv: [hex, ...pin], form: "hex" },
    { argv: [...pdus, ...pin], form: "hex" },
    { argv: ["-", ...pin], stdin: Buffer.from(hex, "hex").toString("base64"), form: "base64" },
    { argv: ["--file", file, ...pin], form: "capture" },
  ];
  for (const { argv, stdin, form } of inputs) {
    const found = await json(["decode", ...argv], stdin);
    assert.deepEqual(
      [found.form, found.messages[0].xml, found.messages[0].signature.isRight],
      [form, expected.xml, true],
    );
  }
  const { stdout } = await turnup(["decode", "--file", file, "--pin", "99999"]);
  assert.match(stdout, /^read as capture: one message$/m);
  assert.match(stdout, /^message 1 10\.0\.0\.1:41000 > 10\.0\.0\.2:2775 .* in packets 1, 2/m);
  assert.match(stdout, /^ +8 {2}00000000 +command_status = 0 .*\[SMPP v3\.4 §5\.1\.3\]$/m);
  assert.match(stdout, /^ {2}! bad_mac in wsp: /m);
  assert.equal((await turnup(["decode"])).exitCode, 2);
  assert.equal((await turnup(["decode", "hello there"])).exitCode, 1);
});

test("payload notify composes the SMS of a vector, its password read from a file or standard input, never an argument", async () => {
  const { smsUserDataHex, hex } = dmVector("pkg0-background-server");
  const options = ["--password-file", "-", "--session", "1234"];
  const nonce = ["--nonce", Buffer.from("MyServerNonce").toString("base64")];
  const composed = await json(["notify", "com.mgmtsrv.manage", ...options, ...nonce], "srvpw\n");
  assert.equal(composed.notification, hex);
  assert.deepEqual(
    composed.parts.map(({ udh, data }: { udh: string; data: string }) => udh + data),
    [smsUserDataHex],
  );
  const resync = await json(["notify", "com.mgmtsrv.manage", ...options, "--nonce", "resync"], "srvpw");
  assert.equal(resync.notification, dmVector("pkg0-resync-zero-octets").hex);
  const read = await json(["decode", composed.parts[0].udh + composed.parts[0].data]);
  assert.equal(read.messages[0].layers.at(-1).layer, "dm-notification");
  const { stdout } = await turnup(["notify", "com.mgmtsrv.manage", ...options], "srvpw");
  assert.ok(stdout.includes(dmVector("pkg0-empty-nonce").hex ?? "none"), stdout);
  for (const wrong of [
    ["--session", "0"],
    ["--session", "x"],
    ["--nonce", "?"],
  ])
    assert.equal((await turnup(["notify", "s", ...options, ...wrong], "p")).exitCode, 2, wrong.join(" "));
});

test("payload encode for USERPINMAC tells what the user types, and the message does not carry it", async () => {
  const file = '{"characteristics":[]}';
  const { mac, push } = await json(["encode", "-", "--sec", "userpinmac", "--pin", "4711"], file);
  assert.match(mac, /^4711\d{4}$/);
  assert.equal(push, "0106 0403b69183 030b6a00854601".replaceAll(" ", ""));
  assert.equal((await json(["decode", push, "--as", "push", "--pin", mac])).macVerified, true);
  assert.equal(
    (await json(["decode", push, "--as", "push", "--pin", "47110000"])).macVerified,
    mac === "47110000",
  );
});

test("payload decode tells a wrong MAC in its answer, and not having the secret as null", async () => {
  const push = VECTORS.find(({ id }) => id === "claro-br")!;
  const verified = async (...secret: string[]) =>
    (await json(["decode", push.hex, "--as", "push", ...secret])).macVerified;
  assert.equal(await verified("--pin", "1234"), true);
  assert.equal(await verified("--pin", "4321"), false);
  assert.equal(await verified("--imsi", "001010123456789"), null);
  assert.equal(await verified(), null);
  const { stdout } = await turnup(["decode", push.hex, "--as", "push", "--pin", "4321"]);
  assert.match(stdout, /does NOT verify/);
});

const SEGMENTS = VECTORS.find(({ id }) => id === "claro-br")!.segments!;
const OTHER = VECTORS.find(({ id }) => id === "vn-vinaphone-b")!.segments!;
const REFUSED: readonly { name: string; argv: readonly string[]; stdin?: string; error: object }[] = [
  {
    name: "a document that is cut",
    argv: ["decode", "030b6a0045", "--as", "wbxml"],
    error: { code: "decode_failed", message: "Element without its end.", offset: 5 },
  },
  {
    name: "a fault in the document of a push, told at its place in the push",
    argv: ["decode", "01 06 01 b6 030b6a0045", "--as", "push"],
    error: { code: "decode_failed", message: "Element without its end.", offset: 9 },
  },
  {
    name: "a letter that is no hex digit",
    argv: ["decode", "030b6a00xx", "--as", "wbxml"],
    error: { code: "decode_failed", message: '"x" is no hex digit.', offset: 4 },
  },
  {
    name: "a part that is missing",
    argv: ["decode", SEGMENTS[0]!, SEGMENTS[2]!, "--as", "parts"],
    error: { code: "decode_failed", message: "Of 3 parts these are missing: 2.", offset: 0 },
  },
  {
    name: "parts of two messages",
    argv: ["decode", ...SEGMENTS, OTHER[0]!, "--as", "parts"],
    error: { code: "decode_failed", message: "Parts of more than one message.", offset: 0 },
  },
  {
    name: "a part whose header is cut",
    argv: ["decode", SEGMENTS[0]!, "0b0504", "--as", "parts"],
    error: { code: "decode_failed", message: "Part 2: user data header cut short.", offset: 0 },
  },
  {
    name: "an unknown public identifier",
    argv: ["decode", "03046a0005", "--as", "wbxml"],
    error: { code: "decode_failed", message: "No document type is known by public id 4.", offset: 1 },
  },
  {
    name: "no octets at all",
    argv: ["decode", "-", "--as", "parts"],
    error: { code: "decode_failed", message: "No part of a message.", offset: 0 },
  },
  {
    name: "a file that is no JSON",
    argv: ["encode", "-"],
    stdin: "{",
    error: { code: "payload_malformed" },
  },
  {
    name: "a document of the wrong shape, told with its path",
    argv: ["encode", "-"],
    stdin: '{"characteristics":[{"type":"X","parms":{"A":true}}]}',
    error: { code: "payload_malformed", path: "characteristics[0].parms.A" },
  },
  {
    name: "a signature without its secret",
    argv: ["encode", "-", "--sec", "userpin"],
    stdin: '{"characteristics":[]}',
    error: { code: "payload_secret_missing" },
  },
  {
    name: "an IMSI that is none",
    argv: ["encode", "-", "--sec", "netwpin", "--imsi", "12"],
    stdin: '{"characteristics":[]}',
    error: { code: "imsi_malformed" },
  },
];
for (const { name, argv, stdin, error } of REFUSED) {
  test(`payload refuses ${name}`, async () => {
    const { exitCode, stdout, stderr } = await turnup([...argv, "--json"], stdin);
    assert.equal(exitCode, 1);
    assert.equal(stdout, "");
    const met = JSON.parse(stderr).error;
    assert.deepEqual({ ...met, ...error }, met);
  });
}

test("payload says how it is used when it is used wrongly", async () => {
  for (const argv of [["decode"], ["decode", "00", "--as", "sms"], ["encode"]]) {
    assert.equal((await turnup(argv)).exitCode, 2, argv.join(" "));
  }
  const file = '{"characteristics":[]}';
  for (const options of [
    ["--pin", "1234"],
    ["--sec", "none"],
    ["--reference", "256"],
  ]) {
    assert.equal((await turnup(["encode", "-", ...options], file)).exitCode, 2, options.join(" "));
  }
});
