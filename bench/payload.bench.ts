// Question: how many settings documents a second does one core turn into signed SMS parts, each with its own NETWPIN MAC?
// Budget: 100,000/s; a network that moves a million phones to new settings then spends ten seconds of one core on it.
// Peer: libwbxml (Debian libwbxml2-dev in a C loop, else libwbxml2-utils one process a document), XML to WBXML alone: it
// neither signs nor cuts.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { encodeProvisioning, xmlOf } from "../src/wire/omacp/codec.ts";
import type { ProvisioningDocument } from "../src/wire/omacp/document.ts";
import { macOf } from "../src/wire/omacp/mac.ts";
import { splitUserData } from "../src/wire/sms/split.ts";
import { encodePush } from "../src/wire/wsp/push.ts";

const RUNS = 5;
const RUN_MS = 500;
const ROUNDS_PER_LOOK = 1_000;
const PEER_RUN_S = 0.5;
/** Enough that no document or IMSI is met twice in a row by any cache of the processor or the engine's. */
const DOCUMENTS = 1_000;
const IMSIS = 10_007;

export type PayloadMeasure = {
  /** Document to parts, everything anew for each. */
  readonly documentsPerSecond: number;
  /** The same settings for many subscribers: WBXML once, then MAC, push and parts for each. */
  readonly cachedPerSecond: number;
};

export type PeerMeasure = {
  readonly perSecond: number;
  readonly how: "libwbxml in a C loop" | "xml2wbxml, one process a document";
};

/** The two shapes operators send most, in turn: internet access, and MMS behind a proxy. Names and points differ. */
const documentNumber = (n: number): ProvisioningDocument => (n % 2 === 0 ? internet(n) : mms(n));

function internet(n: number): ProvisioningDocument {
  return {
    version: "1.1",
    characteristics: [
      nested("BOOTSTRAP", { NAME: `Operator ${n}` }),
      nested("NAPDEF", {
        NAPID: `NAP${n}`,
        BEARER: "GSM-GPRS",
        NAME: `Operator ${n} Internet`,
        "NAP-ADDRESS": `internet${n}.example`,
        "NAP-ADDRTYPE": "APN",
        INTERNET: null,
      }),
      nested("APPLICATION", { APPID: "w2", NAME: `Operator ${n} Internet`, "TO-NAPID": `NAP${n}` }),
    ],
  };
}

function mms(n: number): ProvisioningDocument {
  const napAuth = nested("NAPAUTHINFO", { AUTHTYPE: "PAP", AUTHNAME: "mms", AUTHSECRET: `secret${n}` });
  const port = nested("PORT", { PORTNBR: "8080" });
  const physical = nested(
    "PXPHYSICAL",
    {
      "PHYSICAL-PROXY-ID": `PPX${n}`,
      PXADDR: `10.0.${n % 256}.10`,
      PXADDRTYPE: "IPV4",
      "TO-NAPID": `NAP${n}`,
    },
    port,
  );
  return {
    version: "1.1",
    characteristics: [
      nested("BOOTSTRAP", { NAME: `Operator ${n} MMS` }),
      nested(
        "NAPDEF",
        {
          NAPID: `NAP${n}`,
          BEARER: "GSM-GPRS",
          NAME: "MMS",
          "NAP-ADDRESS": `mms${n}`,
          "NAP-ADDRTYPE": "APN",
        },
        napAuth,
      ),
      nested("PXLOGICAL", { "PROXY-ID": `PX${n}`, NAME: "MMS" }, physical),
      nested("APPLICATION", {
        APPID: "w4",
        NAME: "MMS",
        "TO-PROXY": `PX${n}`,
        ADDR: `http://mmsc${n}.example/`,
      }),
    ],
  };
}

type Characteristic = ProvisioningDocument["characteristics"][number];

const nested = (
  type: string,
  parms: Readonly<Record<string, string | null>>,
  ...characteristics: Characteristic[]
): Characteristic => ({
  type,
  parms: Object.entries(parms).map(([name, value]) => ({ name, value })),
  characteristics,
});

function partsOf(document: Uint8Array, imsi: string, reference: number): number {
  const push = encodePush({
    transactionId: reference,
    contentType: "application/vnd.wap.connectivity-wbxml",
    sec: "netwpin",
    mac: macOf("netwpin", { imsi }, document),
    body: document,
  });
  return splitUserData(push, { destPort: 2948, srcPort: 9200, reference, referenceBits: 8 }).length;
}

/** Medians of alternating runs, so that a slow moment of the machine meets both. */
export async function measurePayload(): Promise<PayloadMeasure> {
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => documentNumber(n));
  const encoded = documents.map((document) => encodeProvisioning(document));
  const imsis = Array.from(
    { length: IMSIS },
    (_, n) =>
      `00101${String(n * 987_654_321)
        .padStart(10, "0")
        .slice(0, 10)}`,
  );
  const fresh = (n: number) => partsOf(encodeProvisioning(documents[n % DOCUMENTS]!), imsis[n % IMSIS]!, n);
  const cached = (n: number) => partsOf(encoded[n % DOCUMENTS]!, imsis[n % IMSIS]!, n);
  const rates: { fresh: number[]; cached: number[] } = { fresh: [], cached: [] };
  for (let run = 0; run <= RUNS; run++) {
    const taken = { fresh: rate(fresh), cached: rate(cached) };
    if (run === 0) continue; // the first warms up
    rates.fresh.push(taken.fresh);
    rates.cached.push(taken.cached);
  }
  return { documentsPerSecond: median(rates.fresh), cachedPerSecond: median(rates.cached) };
}

function rate(round: (n: number) => number): number {
  const start = performance.now();
  let rounds = 0;
  let parts = 0;
  let elapsed = 0;
  while (elapsed < RUN_MS) {
    for (let i = 0; i < ROUNDS_PER_LOOK; i++) parts += round(rounds + i);
    rounds += ROUNDS_PER_LOOK;
    elapsed = performance.now() - start;
  }
  if (parts < 2 * rounds) throw new Error("a document of two parts gave fewer");
  return (rounds / elapsed) * 1000;
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

/** The two documents in turn through libwbxml; null where neither the library nor the program is installed. */
export async function measureLibwbxml(): Promise<PeerMeasure | null> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-bench-"));
  try {
    const files = [0, 1].map((n) => {
      const file = join(folder, `${n}.xml`);
      const doctype = '<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "prov.dtd">';
      writeFileSync(file, `<?xml version="1.0"?>${doctype}${xmlOf(encodeProvisioning(documentNumber(n)))}`);
      return file;
    });
    const loop = join(folder, "libwbxml-loop");
    const source = join(import.meta.dirname, "peer", "libwbxml-loop.c");
    const build = ["-O2", "-I/usr/include/libwbxml-1.0", "-o", loop, source, "-lwbxml2"];
    const isBuilt = spawnSync("cc", build, { stdio: "ignore" }).status === 0;
    if (isBuilt)
      return { perSecond: meanRate(files.map((file) => loopRate(loop, file))), how: "libwbxml in a C loop" };
    if (spawnSync("xml2wbxml", ["-h"], { stdio: "ignore" }).error) return null;
    const rates = files.map((file) => processRate(file, join(folder, "out.wbxml")));
    return { perSecond: meanRate(rates), how: "xml2wbxml, one process a document" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Of documents taken in turn: the time for each adds up. */
const meanRate = (rates: readonly number[]): number =>
  rates.length / rates.reduce((seconds, perSecond) => seconds + 1 / perSecond, 0);

function loopRate(loop: string, file: string): number {
  const runs = Array.from({ length: RUNS }, () => {
    const [count, nanoseconds] = execFileSync(loop, [file, String(PEER_RUN_S)], { encoding: "utf8" })
      .split(" ")
      .map(Number);
    return (count! / nanoseconds!) * 1e9;
  });
  return median(runs);
}

function processRate(file: string, out: string): number {
  const runs = Array.from({ length: RUNS }, () => {
    const start = performance.now();
    let count = 0;
    while (performance.now() - start < PEER_RUN_S * 1000) {
      execFileSync("xml2wbxml", ["-n", "-o", out, file], { stdio: "ignore" });
      count++;
    }
    return (count / (performance.now() - start)) * 1000;
  });
  return median(runs);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { documentsPerSecond, cachedPerSecond } = await measurePayload();
  const peer = await measureLibwbxml();
  const lines = [
    `settings to signed SMS parts: ${Math.round(documentsPerSecond)}/s`,
    `the same settings for many subscribers: ${Math.round(cachedPerSecond)}/s`,
    peer
      ? `${peer.how}, XML to WBXML alone: ${Math.round(peer.perSecond)}/s; ${(documentsPerSecond / peer.perSecond).toFixed(1)} times`
      : "libwbxml is not installed (Debian: libwbxml2-dev or libwbxml2-utils)",
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}
