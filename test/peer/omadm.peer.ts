/**
 * OMA DM beside others: libwbxml's programs read our messages and we theirs; Wireshark's command line names the notification push, and
 * our explorer reads a capture that its text2pcap wrote. Fails, and never skips, where they are not installed. Run by `npm run test:peer`.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { explore } from "../../src/wire/explore/explore.ts";
import { bytesOf, hexOf } from "../../src/wire/hex.ts";
import { decodeDmWbxml, decodeDmXml, encodeDmWbxml, xmlOfDm } from "../../src/wire/omadm/codec.ts";
import { VECTORS } from "../vector/oma-cp.ts";
import { DM_VECTORS, dmVector } from "../vector/oma-dm.ts";
import { dissect } from "./tshark.ts";

const PROGRAM_TIMEOUT_MS = 10_000;
const PROLOG =
  '<?xml version="1.0"?><!DOCTYPE SyncML PUBLIC "-//SYNCML//DTD SyncML 1.2//EN" "http://www.openmobilealliance.org/tech/DTD/OMA-TS-SyncML_RepPro_DTD-V1_2.dtd">';

function run(program: string, args: readonly string[], input: Uint8Array | string): Buffer {
  const { status, stdout, stderr, error } = spawnSync(program, args, { input, timeout: PROGRAM_TIMEOUT_MS });
  if (error)
    throw new Error(`${program} cannot be run (${error.message}): apt-get install libwbxml2-utils tshark`);
  assert.equal(status, 0, `${program}: ${stderr}`);
  return stdout;
}

/** Without prolog, namespaces and the white space around CDATA, in which the peer writes values. */
const plain = (xml: string): string =>
  xml
    .replace(/^.*?(?=<SyncML)/s, "")
    .replace(/<!\[CDATA\[(.*?)\]\]>/gs, "$1")
    .replace(/ xmlns="[^"]*"/g, "")
    .replace(/>\s+</g, "><")
    .trimEnd();

for (const { id, xml = "" } of DM_VECTORS.filter(({ group }) => group === "session")) {
  test(`${id}: libwbxml reads what we write, and we read what it writes`, () => {
    const ours = encodeDmWbxml(decodeDmXml(Buffer.from(xml)));
    const read = run("wbxml2xml", ["-m", "0", "-o", "-", "-"], ours).toString("utf8");
    assert.equal(plain(read), plain(xml));
    const theirs = run("xml2wbxml", ["-n", "-v", "1.2", "-o", "-", "-"], PROLOG + xml);
    assert.equal(xmlOfDm(encodeDmWbxml(decodeDmWbxml(theirs))), xml);
  });
}

test("Wireshark names the push of a notification, its type and application", () => {
  const push = bytesOf((dmVector("pkg0-background-server").smsUserDataHex ?? "").slice(14));
  const told = dissect(push, { transport: "udp", port: 2948 });
  assert.match(told, /application\/vnd\.syncml\.notification/);
  assert.match(told, /x-wap-application:syncml\.dm|syncml\.dm/);
});

test("a capture that text2pcap wrote of SMPP is read as the PDUs were", () => {
  const { pdus = [], expected } = VECTORS.find((one) => one.pdus) ?? assert.fail("no such vector");
  const folder = mkdtempSync(join(tmpdir(), "turnup-peer-"));
  try {
    const dump = join(folder, "frames.txt");
    const capture = join(folder, "frames.pcapng");
    const lines = pdus.map((pdu) => `000000 ${(pdu.match(/../g) ?? []).join(" ")}\n`);
    writeFileSync(dump, lines.join("\n"));
    run("text2pcap", ["-q", "-T", "41000,2775", dump, capture], "");
    const { form, messages } = explore(readFileSync(capture));
    assert.deepEqual([form, messages[0]?.xml], ["capture", expected.xml]);
    assert.equal(hexOf(bytesOf(pdus[0] ?? "")), pdus[0]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
