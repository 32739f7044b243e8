// Question: how many settings documents a second does one core turn into signed SMS parts, each with its own NETWPIN MAC?
// Budget: 100,000/s; a network that moves a million phones to new settings then spends ten seconds of one core on it.
// Peers: libwbxml in a C loop and its xml2wbxml, one process a document, XML to WBXML alone: they neither sign nor cut;
// Kannel's sendota, from an HTTP request to the message centre.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeProvisioning, xmlOf } from "../src/wire/omacp/codec.ts";
import type { ProvisioningDocument } from "../src/wire/omacp/document.ts";
import { macOf } from "../src/wire/omacp/mac.ts";
import { splitUserData } from "../src/wire/sms/split.ts";
import { encodePush } from "../src/wire/wsp/push.ts";
import { runLoad } from "./http-load.ts";
import { hasKannel, KANNEL_MISSING, KANNEL_USER, type Kannel, startKannel } from "./kannel.ts";
import { alternate, type Bench, type Contest, type Figure, type Peer, type Question } from "./question.ts";
import { type Sink, startSink } from "./smpp-sink.ts";

const RUN_MS = 1_000;
const ROUNDS_PER_LOOK = 1_000;
const PEER_RUN_S = 0.5;
const KANNEL_RUN_MS = 3_000;
const KANNEL_CONNECTIONS = 10;
const KANNEL_REQUESTS_MAX = 100_000;
const STILL_MS = 3_000;
/** Enough that no document or IMSI is met twice in a row by any cache of the processor or the engine's. */
const DOCUMENTS = 1_000;
const IMSIS = 10_007;

export const payloadQuestion: Question = {
  name: "payload",
  asks: "How many settings documents a second does one core turn into SMS parts, each signed for its own SIM?",
  how: [
    "A document (in turn internet access, and MMS behind a proxy; 1,000 different) to WBXML, a NETWPIN MAC with one of",
    "10,007 IMSIs, the WSP push, and parts with their UDH, in one process. The peers do less or more: libwbxml, in a C loop",
    "and as xml2wbxml with a process a document, goes from XML to WBXML and neither signs nor cuts; Kannel's sendota takes an",
    "HTTP request with the XML, signs with NETWPIN and submits the parts over SMPP, 10 connections, counted at the sink.",
  ].join(" "),
  durability:
    "nothing is stored by ours and by libwbxml; Kannel writes its store file and never waits for the disk.",
  uses: ["libwbxml", "Kannel"],
  measure,
};

const OURS = "Turnup";
const CACHED = "Turnup, WBXML of the same settings kept";
const LOOP = "libwbxml in a C loop";
const PROCESSES = "xml2wbxml, a process a document";
const SENDOTA = "Kannel sendota";
const LIBWBXML_MISSING = "libwbxml2-dev, libwbxml2-utils and gcc are needed: run bench/setup.sh";

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const folder = mkdtempSync(join(tmpdir(), "turnup-bench-"));
  const sink = await startSink();
  let kannel: Kannel | undefined;
  try {
    if (hasKannel()) kannel = await startKannel(sink);
    const loop = builtLoop(folder);
    const files = [0, 1].map((n) => xmlFile(folder, n));
    const { fresh, cached } = roundsOfOurs();
    const started = kannel;
    const taken = await alternate(
      bench,
      {
        [OURS]: () => rate(fresh),
        [CACHED]: () => rate(cached),
        ...(loop && { [LOOP]: () => meanRate(files.map((file) => loopRate(loop, file))) }),
        ...(hasProgram() && {
          [PROCESSES]: () => meanRate(files.map((file) => processRate(file, join(folder, "out.wbxml")))),
        }),
        ...(started && { [SENDOTA]: () => sendotaRate(sink, started) }),
      },
      { warmUp: true },
    );
    return figuresOf(taken);
  } finally {
    await kannel?.close();
    sink.close();
    rmSync(folder, { recursive: true });
  }
}

function figuresOf(taken: Contest): Figure[] {
  const peer = (name: string, missing: string): Peer => ({
    name,
    values: taken.get(name) ?? [],
    ...(taken.has(name) ? {} : { missing }),
  });
  return [
    {
      what: "document to signed parts, all anew",
      unit: "documents/s",
      values: taken.get(OURS) ?? [],
      peers: [peer(LOOP, LIBWBXML_MISSING), peer(PROCESSES, LIBWBXML_MISSING), peer(SENDOTA, KANNEL_MISSING)],
      aim: { kind: "at least", value: 100_000 },
      note: "the ratio is to the C loop",
    },
    {
      what: "the same settings for many SIMs: MAC, push and parts",
      unit: "documents/s",
      values: taken.get(CACHED) ?? [],
      peers: [],
    },
  ];
}

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

function roundsOfOurs(): Record<"fresh" | "cached", (n: number) => number> {
  const documents = Array.from({ length: DOCUMENTS }, (_, n) => documentNumber(n));
  const encoded = documents.map((document) => encodeProvisioning(document));
  const imsis = Array.from(
    { length: IMSIS },
    (_, n) =>
      `00101${String(n * 987_654_321)
        .padStart(10, "0")
        .slice(0, 10)}`,
  );
  return {
    fresh: (n) => partsOf(encodeProvisioning(documents[n % DOCUMENTS]!), imsis[n % IMSIS]!, n),
    cached: (n) => partsOf(encoded[n % DOCUMENTS]!, imsis[n % IMSIS]!, n),
  };
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

// ---- the peers, with our first two documents in turn

const xmlOfNumber = (n: number): string => {
  const doctype =
    '<!DOCTYPE wap-provisioningdoc PUBLIC "-//WAPFORUM//DTD PROV 1.0//EN" "http://www.wapforum.org/DTD/prov.dtd">';
  return `<?xml version="1.0"?>${doctype}${xmlOf(encodeProvisioning(documentNumber(n)))}`;
};

function xmlFile(folder: string, n: number): string {
  const file = join(folder, `${n}.xml`);
  writeFileSync(file, xmlOfNumber(n));
  return file;
}

/** The C loop beside this file, compiled; undefined where compiler or library are missing. */
function builtLoop(folder: string): string | undefined {
  const loop = join(folder, "libwbxml-loop");
  const source = join(import.meta.dirname, "peer", "libwbxml-loop.c");
  const { status } = spawnSync("cc", ["-O2", HEADERS, "-o", loop, source, "-lwbxml2"], { stdio: "ignore" });
  return status === 0 ? loop : undefined;
}

/** Where Debian lays them; the compiler does not look there by itself. */
const HEADERS = "-I/usr/include/libwbxml-1.0";

const hasProgram = (): boolean => existsSync("/usr/bin/xml2wbxml");

/** Of documents taken in turn: the time for each adds up. */
const meanRate = (rates: readonly number[]): number =>
  rates.length / rates.reduce((seconds, perSecond) => seconds + 1 / perSecond, 0);

function loopRate(loop: string, file: string): number {
  const [count, nanoseconds] = execFileSync(loop, [file, String(PEER_RUN_S)], { encoding: "utf8" })
    .split(" ")
    .map(Number);
  return (count! / nanoseconds!) * 1e9;
}

function processRate(file: string, out: string): number {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < PEER_RUN_S * 1_000) {
    execFileSync("xml2wbxml", ["-n", "-o", out, file], { stdio: "ignore" });
    count++;
  }
  return (count / (performance.now() - start)) * 1_000;
}

/** Documents a second, all of whose parts came to the sink. The MMS document, because one URL serves all requests. */
async function sendotaRate(sink: Sink, { port }: Kannel): Promise<number> {
  await sink.reset();
  const { name, password } = KANNEL_USER;
  const xml = encodeURIComponent(xmlOfNumber(1));
  const load = await runLoad({
    host: "127.0.0.1",
    port,
    connections: KANNEL_CONNECTIONS,
    forMs: KANNEL_RUN_MS,
    requestsMax: KANNEL_REQUESTS_MAX,
    method: "GET",
    path: `/cgi-bin/sendota?username=${name}&password=${password}&to=882100{N:8}&type=oma-settings&sec=netwpin&pin=0011010{N:9}&text=${xml}`,
    headers: {},
    firstNumber: 0,
  });
  if (load.good !== load.requests) throw new Error(`sendota refused: ${load.example}`);
  const { submits, lastAtMs } = await sink.settled(load.good * SENDOTA_PARTS, STILL_MS);
  if (submits !== load.good * SENDOTA_PARTS) throw new Error(`${load.good} documents gave ${submits} parts`);
  return (load.good / (lastAtMs - load.startMs)) * 1_000;
}
const SENDOTA_PARTS = 3;
