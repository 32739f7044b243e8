/** `turnup service` starts on a policy, says where it is, and refuses a policy that is wrong. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { afterAll, beforeAll, test } from "vitest";
import { runCli } from "../terminal/runner.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-service-command-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A server that is told to stop as soon as it has started. */
async function run(policy: unknown, ...more: string[]) {
  const file = join(folder, "policy.json");
  await writeFile(file, JSON.stringify(policy));
  const texts = { out: "", err: "" };
  const collector = (name: "out" | "err") =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        texts[name] += chunk.toString("utf8");
        done();
      },
    });
  const exitCode = await runCli(
    [{ name: "service", summary: "", load: async () => (await import("./service.ts")).serviceCommand }],
    ["service", "--policy", file, "--folder", join(folder, "data"), "--port", "0", ...more],
    {
      stdin: Readable.from([]),
      stdout: collector("out"),
      stderr: collector("err"),
      env: {},
      now: () => new Date(),
      version: "0.0.0-test",
      signal: AbortSignal.abort(),
    },
  );
  return { exitCode, ...texts };
}
const field = { name: "mailbox", kind: "text" };
const service = { path: "/scim/v2", accessUrl: "https://mail.example/in", fields: [field] };

test("each service is told by its URI, and every client has its certificate", async () => {
  const directory = { ...service, path: "/scim/v2/directory" };
  const { exitCode, out } = await run({ clients: ["meridian"], services: [service, directory] }, "--json");
  assert.equal(exitCode, 0);
  const told = out
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { uri: string; registrations: number });
  assert.deepEqual(
    told.map(({ uri, registrations }) => [new URL(uri).pathname, registrations]),
    [
      ["/scim/v2", 0],
      ["/scim/v2/directory", 0],
    ],
  );
  const files = await readdir(join(folder, "data", "certificates"));
  assert.ok(files.includes("client-meridian.crt") && files.includes("authority.crt"));
});

const wrong: [string, unknown, RegExp][] = [
  ["nobody may ask", { clients: [], services: [service] }, /clients: 1 to 1000 entries are wanted, 0 came/],
  ["a path is none", { clients: ["a"], services: [{ ...service, path: "scim" }] }, /services\[0\]\.path/],
  [
    "access is in clear",
    { clients: ["a"], services: [{ ...service, accessUrl: "http://m.example" }] },
    /an https URL/,
  ],
  [
    "a field is of no kind",
    { clients: ["a"], services: [{ ...service, fields: [{ name: "x", kind: "fish" }] }] },
    /services\[0\]\.fields\[0\]\.kind: one of text, digits/,
  ],
];
for (const [what, policy, fact] of wrong) {
  test(`a policy where ${what} starts nothing and says where it is wrong`, async () => {
    const { exitCode, err, out } = await run(policy);
    assert.deepEqual([exitCode, out], [1, ""]);
    assert.match(err, fact);
  });
}
