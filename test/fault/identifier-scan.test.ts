/**
 * Nobody who reads what Turnup leaves behind meets a subscriber: 66 phones are turned up with logs on, everything that
 * can be asked is asked, and then every octet of the data folder (PostgreSQL's files and log, the journals of the
 * world's parties, our log lines), of the output and of the answers is searched.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, test } from "vitest";
import { fleetModels } from "../../src/app/demo/fleet-models.ts";
import { newPhonesOf } from "../../src/app/demo/new-phones.ts";
import { WORLD } from "../../src/app/demo/world-facts.ts";
import { DeviceCatalog } from "../../src/kernel/devices/catalog.ts";
import { buildPhones } from "../../src/sim/handset/phones.ts";
import { readShippedDatasets } from "../../src/store/dataset/devices.ts";
import { createScan, needlesOf, written } from "./identifier-scan.ts";
import { startTurnup } from "./turnup-process.ts";

/** One whose fleet bears numbers that can be looked for: `createScan` refuses others. */
const FLEET = 2;
const PHONES = 60;
const ALL = 66;

/** Of the device's road: they ask by themselves, through the proxy. */
const NEW_PHONES = 6;
/** A whole start, on a machine that may be busy with other things. */
const PATIENCE_MS = 600_000;
const models = fleetModels(new DeviceCatalog(readShippedDatasets()));
const phones = buildPhones({
  models,
  count: PHONES,
  seed: FLEET,
  network: WORLD.network,
  factoryApn: WORLD.factoryApn,
});
const newPhones = newPhonesOf({ newPhones: NEW_PHONES, models });
const scan = createScan([...phones, ...newPhones]);

const folder = mkdtempSync(join(tmpdir(), "turnup-scan-"));
afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));

const filesIn = (place: string): string[] =>
  readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));

test("the scan finds each identifier, however it is written, among a megabyte of other octets", () => {
  for (const phone of [phones[0]!, phones.at(-1)!]) {
    for (const needle of needlesOf(phone)) {
      const octets = written(needle);
      const within = needle.before === undefined ? 0 : 1;
      for (const offset of [0, 77_777, 1_048_576 - octets.length]) {
        const page = Buffer.alloc(1_048_576, 0x5a);
        octets.copy(page, offset);
        assert.ok(
          scan(page).some((find) => find.needle === needle.name && find.offset === offset + within),
          `${needle.name} at ${offset}`,
        );
      }
    }
  }
  assert.deepEqual(scan(Buffer.alloc(1_048_576, 0x30)), []);
});

test("an identifier whose packed form the padding of a row would meet is not looked for", () => {
  const [phone] = phones;
  for (const imei of ["014046000000047", "350000000000006"])
    assert.throws(() => createScan([{ ...phone!, imei }]), /could be met by chance/);
  assert.throws(() => createScan([{ ...phone!, imsi: "001010000000001" }]), /could be met by chance/);
});

test(
  "after 66 phones of both roads neither data folder, nor output, nor any answer holds an IMSI, MSISDN or IMEI",
  async () => {
    const logFile = join(folder, "data", "turnup.log");
    const turnup = await startTurnup(
      [
        "start",
        "--phones",
        String(PHONES),
        "--new-phones",
        String(NEW_PHONES),
        "--seed",
        String(FLEET),
        "--log",
        logFile,
      ],
      { TURNUP_DATA_FOLDER: join(folder, "data"), TURNUP_HTTP_PORT: "0", TURNUP_LOG_LEVEL: "trace" },
      /curl -H/,
    );
    let answers: readonly (readonly [string, string])[];
    try {
      assert.match(turnup.output(), new RegExp(`${ALL} of ${ALL} phones turned up`));
      answers = await everyAnswer(turnup.output());
    } finally {
      assert.equal(await turnup.stop(), 0, turnup.output());
    }

    const files = filesIn(folder);
    const octets = files.reduce((sum, file) => sum + statSync(file).size, 0);
    assert.ok(files.some((file) => file.includes("pg_wal")) && octets > 10_000_000, "the database was there");
    assert.ok(statSync(logFile).size > 1_000, "and so were log lines");
    assert.ok(answers.length > PHONES * 2);
    const places = [
      ...files.map((file) => [file.slice(folder.length), readFileSync(file)] as const),
      ["output", Buffer.from(turnup.output())] as const,
      ...answers.map(([path, text]) => [path, Buffer.from(text)] as const),
    ];
    const finds = places.flatMap(([place, content]) =>
      scan(content).map(({ needle, offset }) => `${place}: ${needle} at ${offset}`),
    );
    assert.deepEqual(finds, []);

    // The same search over the same files, of which one was tampered with.
    const biggest = files.reduce((one, other) => (statSync(one).size > statSync(other).size ? one : other));
    const copy = join(folder, "planted");
    writeFileSync(copy, Buffer.concat([readFileSync(biggest), Buffer.from(phones[7]!.imsi)]));
    assert.deepEqual(
      scan(readFileSync(copy)).map(({ needle, offset }) => [needle, offset]),
      [["IMSI in digits", statSync(biggest).size]],
    );
  },
  PATIENCE_MS,
);

/** Every list, every order's story and message, and questions that name an identifier: as an admin sees them. */
async function everyAnswer(output: string): Promise<(readonly [string, string])[]> {
  const [, url] = /serves at (http:\S+)/.exec(output) ?? [];
  const [, token] = /TOKEN=(\S+)/.exec(output) ?? [];
  const answers: (readonly [string, string])[] = [];
  const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
    const response = await fetch(url + path, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...init.headers },
    });
    const text = await response.text();
    answers.push([`${response.status} ${path.split("?")[0]}`, [...response.headers].join("\n") + text]);
    return text;
  };
  for (const path of LISTS) await ask(path);
  const { rows } = JSON.parse(await ask("/v1/orders?limit=100")) as { rows: { id: string }[] };
  assert.equal(rows.length, ALL);
  for (const { id } of rows) await ask(`/v1/orders/${id}`);
  for (const { imsi, msisdn, imei } of [...phones, ...newPhones]) {
    for (const query of [`imsi=${imsi}`, `msisdn=${msisdn}`, `imei=${imei}`])
      await ask(`/v1/orders?${query}`);
  }
  const [phone] = phones;
  const sighting = { imei: phone!.imei, imsi: phone!.imsi, msisdn: phone!.msisdn, plmn: "001-01" };
  for (const body of [
    sighting,
    { ...sighting, imei: `${phone!.imei}9` },
    { sightings: [{ ...sighting, imsi: "x" }] },
  ]) {
    await ask("/v1/sightings", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
  }
  return answers;
}

const LISTS = [
  "/healthz",
  "/readyz",
  "/metrics",
  "/openapi.json",
  "/v1/messages?limit=100",
  "/v1/charges?limit=100",
  "/v1/postings?limit=100",
  "/v1/balances",
  "/v1/policy",
  "/v1/relations",
  "/v1/access-points",
  "/v1/overrides",
  "/v1/datasets",
  "/v1/tokens",
  "/v1/audit?limit=100",
];
