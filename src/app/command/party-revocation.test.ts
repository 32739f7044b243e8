/** `turnup maker` and `turnup service` look up whether an operator's certificate was taken back, as the server does. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, test } from "vitest";
import { pemOfList, revocationListOf } from "../../../test/fixture/revocation.ts";
import { ensureAuthority } from "../certificates/certificates.ts";
import type { CommandEntry } from "../terminal/command.ts";
import { runCli } from "../terminal/runner.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-party-lists-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const ENTRIES: readonly CommandEntry[] = [
  { name: "maker", summary: "", load: async () => (await import("./maker.ts")).makerCommand },
  { name: "service", summary: "", load: async () => (await import("./service.ts")).serviceCommand },
];
const MAKER = {
  issuer: "maker.example",
  clients: [{ id: "north", feeMinor: 1, portionBasisPoints: 1, currency: "EUR" }],
  models: [],
  offers: [{ hosts: ["a.example"], accessPoints: [{ apn: "a.example", use: "maker", authType: "none" }] }],
  validityDays: 365,
};
const SERVICE = {
  clients: ["north"],
  services: [{ path: "/scim/v2", accessUrl: "https://mail.example/in", fields: [] }],
};
const PARTIES = [
  ["maker", MAKER, "/v1/keys"],
  ["service", SERVICE, "/scim/v2/ServiceProviderConfig"],
] as const;

type Run = { readonly ended: Promise<number>; readonly url: Promise<string>; err(): string; stop(): void };
async function run(party: string, policy: object, ...more: string[]): Promise<Run> {
  const file = join(folder, `${party}.json`);
  await writeFile(file, JSON.stringify(policy));
  const stop = new AbortController();
  const texts = { out: "", err: "" };
  let started: (url: string) => void = () => undefined;
  const url = new Promise<string>((resolve) => {
    started = resolve;
  });
  const collector = (name: "out" | "err") =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[name] += chunk.toString("utf8");
        const [found] = /https:\/\/127\.0\.0\.1:\d+/.exec(texts.out) ?? [];
        if (found) started(found);
        done();
      },
    });
  const ended = runCli(
    ENTRIES,
    [party, "--policy", file, "--folder", join(folder, party), "--port", "0", "--json", ...more],
    {
      ...{ stdin: Readable.from([]), stdout: collector("out"), stderr: collector("err"), env: {} },
      ...{ now: () => new Date(), version: "0.0.0-test", signal: stop.signal },
    },
  );
  return { ended, url, err: () => texts.err, stop: () => stop.abort() };
}

const certificates = (party: string) => join(folder, party, "certificates");
const pairOfNorth = async (party: string) => ({
  certificate: await readFile(join(certificates(party), "client-north.crt"), "utf8"),
  key: await readFile(join(certificates(party), "client-north.key"), "utf8"),
});
async function visit(party: string, address: string): Promise<number | "cut"> {
  const { certificate: cert, key } = await pairOfNorth(party);
  const { certificate: ca } = await ensureAuthority(certificates(party), new Date());
  return new Promise((resolve) => {
    const asked = get(address, { agent: false, ca, cert, key }, (answer) => {
      answer.resume();
      answer.on("error", () => resolve("cut"));
      answer.on("end", () => resolve(answer.statusCode ?? 0));
    });
    asked.on("error", () => resolve("cut"));
  });
}

for (const [party, policy, path] of PARTIES) {
  test(`turnup ${party}: an operator whose certificate stands on the list of --crl-path is cut, and one on no list is not`, async () => {
    const first = await run(party, policy);
    assert.notEqual(await visit(party, `${await first.url}${path}`), "cut");
    first.stop();
    assert.equal(await first.ended, 0);
    const authority = await ensureAuthority(certificates(party), new Date());
    const list = join(folder, `${party}.crl`);
    for (const [revoked, isCut] of [
      [[], false],
      [[await pairOfNorth(party)], true],
    ] as const) {
      await writeFile(list, pemOfList(revocationListOf(authority, revoked)));
      const server = await run(party, policy, "--crl-path", list);
      assert.equal((await visit(party, `${await server.url}${path}`)) === "cut", isCut);
      assert.equal(/refused 127\.0\.0\.1: revoked/.test(server.err()), isCut, server.err());
      server.stop();
      assert.equal(await server.ended, 0);
    }
  });

  test(`turnup ${party}: a responder that is away, a word and a list that are none are told by the option's name, and nothing starts`, async () => {
    const none = join(folder, "none.crl");
    await writeFile(none, "no list");
    for (const [options, code, fact] of [
      [["--crl-path", none], 1, /--crl-path: .*none\.crl: no revocation list/],
      [["--crl-path", join(folder, "away")], 1, /--crl-path: .*away cannot be read/],
      [["--ocsp-url", "ftp://ocsp.example"], 2, /--ocsp-url takes an http or https URL/],
      [["--ocsp-url", "http://ocsp.example:0/"], 2, /--ocsp-url/],
      [["--revocation-when-away", "perhaps"], 2, /revocation-when-away/],
      [["--revocation-timeout-ms", "99"], 2, /--revocation-timeout-ms takes 100 to 60000/],
    ] as const) {
      const { ended, err } = await run(party, policy, ...options);
      assert.equal(await ended, code, err());
      assert.match(err(), fact);
    }
    const closed = "http://127.0.0.1:1/"; // nobody listens there
    for (const [word, isCut] of [
      ["refuse", true],
      ["accept", false],
    ] as const) {
      const server = await run(party, policy, "--ocsp-url", closed, "--revocation-when-away", word);
      assert.equal((await visit(party, `${await server.url}${path}`)) === "cut", isCut, word);
      assert.match(server.err(), /certificates not looked up/);
      server.stop();
      await server.ended;
    }
    assert.ok(existsSync(join(folder, party, "journal")));
  });
}
