/** The door for partners of a server that stands on files and a database: what they say, what they say anew, and what its tokens come to. */
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "vitest";
import { freshDatabaseConfig } from "../../../test/fixture/database.ts";
import { ask, pairOf, strangerAuthority } from "../../../test/fixture/parties.ts";
import { revocationListOf } from "../../../test/fixture/revocation.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { ensureOperator } from "../../store/operator/operators.ts";
import { readConfig } from "../config/config.ts";
import { checkConfig } from "./check-config.ts";
import { startServer } from "./server.ts";

const authority = strangerAuthority();
const own = pairOf(authority, {
  ...{ purpose: "server", names: [{ kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) }] },
});
const SLUGS = ["north", "south"] as const;

test("a server lets partners of two operators in by their certificates, until a token is revoked, a file says otherwise, or an authority takes one back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "turnup-partners-"));
  const { database, url } = await freshDatabaseConfig();
  const file = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(folder, name), content);
    return join(folder, name);
  };
  const ids = { north: uuidv7(), south: uuidv7() };
  const clients = (slugs: readonly (typeof SLUGS)[number][]) =>
    file(
      "clients.json",
      JSON.stringify(slugs.map((slug) => ({ certificate: `dns:${slug}.example`, token: ids[slug] }))),
    );
  const env = {
    ...{ DATABASE_URL: url, TURNUP_DATA_FOLDER: folder, TURNUP_HTTP_PORT: "0", TURNUP_PARTNER_PORT: "0" },
    TURNUP_PARTNER_AUTHORITY_FILE: await file("authority.crt", authority.certificate),
    TURNUP_PARTNER_CERTIFICATE_FILE: await file("own.crt", own.certificate),
    TURNUP_PARTNER_KEY_FILE: await file("own.key", own.key),
    TURNUP_PARTNER_CLIENTS_FILE: await clients(SLUGS),
  };
  const configOf = (more: Readonly<Record<string, string>> = {}) =>
    readConfig({ env: { ...env, ...more }, folder }).config;
  const operators = { north: uuidv7(), south: uuidv7() };
  const server = await startServer({ config: configOf(), log: () => undefined });
  try {
    for (const slug of SLUGS) {
      const named = { id: operators[slug], slug, name: slug, kind: "mvno", homePlmns: [] } as const;
      await ensureOperator(database, named);
      const token = {
        id: ids[slug],
        hash: Buffer.from(slug.padEnd(32)),
        role: "partner",
        label: slug,
      } as const;
      await server.registry.tokens.create(operators[slug], { ...token, expiresAt: null }, "test");
    }
    const pairs = {
      north: pairOf(authority, { names: [{ kind: "dns", name: "north.example" }] }),
      south: pairOf(authority, { names: [{ kind: "dns", name: "south.example" }] }),
    };
    const visit = (slug: (typeof SLUGS)[number]): Promise<string> =>
      ask(new URL("/v1/partner/requests", server.partnerUrl), {
        ...{ ca: authority.certificate, key: pairs[slug].key, cert: pairs[slug].certificate },
      }).then(
        ({ status, body }) => /"code":"([a-z_]+)"/.exec(body.toString())?.[1] ?? String(status),
        () => "cut",
      );
    assert.deepEqual([await visit("north"), await visit("south")], ["200", "200"]);
    await server.registry.tokens.revoke(operators.north, ids.north, "test");
    assert.deepEqual([await visit("north"), await visit("south")], ["token_revoked", "200"]);
    await clients(["north"]);
    await server.change(configOf());
    assert.equal(await visit("south"), "certificate_unknown");
    await clients(SLUGS);
    const crl = await file("taken.crl", revocationListOf(authority, [pairs.south]));
    await server.change(configOf({ TURNUP_TLS_CRL_PATH: crl }));
    assert.deepEqual([await visit("south"), await visit("north")], ["cut", "token_revoked"]);
    const measures = await fetch(`${server.url}/metrics`).then((answer) => answer.text());
    assert.match(measures, /turnup_handshakes_refused_total\{door="partner",cause="revoked"\} 1\n/);
  } finally {
    await server.close();
    await rm(folder, { recursive: true });
  }
});

test("what the files of the door for partners say wrong is told by name before anything starts", async () => {
  const folder = await mkdtemp(join(tmpdir(), "turnup-partners-"));
  const name = (file: string) => join(folder, file);
  const other = pairOf(authority);
  const files: Readonly<Record<string, string>> = {
    ...{ "authority.crt": authority.certificate, "own.crt": own.certificate, "own.key": own.key },
    ...{ "other.key": other.key, "none.crt": "none" },
    "twice.json": JSON.stringify(
      ["DNS", "dns"].map(() => ({ certificate: "dns:a.example", token: uuidv7() })),
    ),
    "text.json": JSON.stringify([{ certificate: "a.example", token: uuidv7() }]),
    "good.json": JSON.stringify([{ certificate: "dns:a.example", token: uuidv7() }]),
  };
  for (const [file, content] of Object.entries(files)) await writeFile(name(file), content, { mode: 0o600 });
  const check = async (more: Readonly<Record<string, string>>) => {
    const env = {
      ...{ TURNUP_DATA_FOLDER: folder, TURNUP_PARTNER_PORT: "0" },
      TURNUP_PARTNER_AUTHORITY_FILE: name("authority.crt"),
      TURNUP_PARTNER_CERTIFICATE_FILE: name("own.crt"),
      TURNUP_PARTNER_KEY_FILE: name("own.key"),
      TURNUP_PARTNER_CLIENTS_FILE: name("good.json"),
      ...more,
    };
    await checkConfig(readConfig({ env, folder }).config, env);
  };
  await check({});
  for (const [more, message] of [
    [{ TURNUP_PARTNER_CLIENTS_FILE: "" }, /partner\.port is set, and a file of its section is missing/],
    [
      { TURNUP_PARTNER_KEY_FILE: name("other.key") },
      /partner\.key_file is not the key of partner\.certificate_file/,
    ],
    [{ TURNUP_PARTNER_AUTHORITY_FILE: name("none.crt") }, /partner\.authority_file holds no certificate/],
    [{ TURNUP_PARTNER_CLIENTS_FILE: name("twice.json") }, /dns:a\.example stands in it twice/],
    [
      { TURNUP_PARTNER_CLIENTS_FILE: name("text.json") },
      /dns:, uri: or cn: and a certificate's name is wanted/,
    ],
  ] as const)
    await assert.rejects(check(more), { code: "config_invalid", message });
  await rm(folder, { recursive: true });
});
