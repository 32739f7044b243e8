/** Where each setting comes from, and which values are refused before anything starts. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inspect } from "node:util";
import { afterAll, test } from "vitest";
import { ALL_SETTINGS, type ConfigSource, readConfig } from "./config.ts";
import { settingsTable, withSettingsTable } from "./settings-table.ts";

const folder = mkdtempSync(join(tmpdir(), "turnup-config-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(text: string): string {
  const file = join(mkdtempSync(join(folder, "f-")), "turnup.toml");
  writeFileSync(file, text);
  return file;
}
const read = (text: string, env: ConfigSource["env"] = {}) => readConfig({ file: fileOf(text), env, folder });

/** What the refusal says. */
function refusalOf(text: string, env: ConfigSource["env"] = {}): string {
  let message = "";
  assert.throws(
    () => read(text, env),
    (error: Error & { code: string }) => {
      message = error.message;
      return error.code === "config_invalid";
    },
  );
  return message;
}

test("with nothing given, each setting has its default and those without one are absent", () => {
  const { config } = readConfig({ env: {}, folder });
  assert.equal(config.http.port, 8080);
  assert.equal(config.smsc.tls, false);
  assert.equal(config.log.level, "info");
  assert.equal(config.database.url, undefined);
  assert.equal(config.data.folder, undefined);
});

test("every default is allowed by its own rule", () => {
  const given = ALL_SETTINGS.filter(({ schema }) => schema.default !== undefined);
  assert.ok(given.length > 10);
  const env = Object.fromEntries(given.map(({ variable, schema }) => [variable, String(schema.default)]));
  assert.deepEqual(readConfig({ env, folder }).config, readConfig({ env: {}, folder }).config);
});

test("the environment stands above the file, and each value says where it came from", () => {
  const { config, from } = read("[http]\nport = 9000\nhost = 'a.example'", { TURNUP_HTTP_PORT: "9001" });
  assert.equal(config.http.port, 9001);
  assert.equal(config.http.host, "a.example");
  assert.equal(from.get("http.port"), "TURNUP_HTTP_PORT");
  assert.match(String(from.get("http.host")), /turnup\.toml$/);
});

test("an empty variable counts as not set", () => {
  const { config } = read("", { TURNUP_HTTP_PORT: "", DATABASE_URL: "", TURNUP_SEAL_KEY: "" });
  assert.equal(config.http.port, 8080);
  assert.equal(config.database.url, undefined);
});

test("an empty TURNUP_CONFIG is not set: the file beside is read, and none where there is none", () => {
  assert.equal(readConfig({ env: { TURNUP_CONFIG: "" }, folder }).config.http.port, 8080);
  const file = fileOf("[http]\nport = 9000");
  assert.equal(readConfig({ env: { TURNUP_CONFIG: "" }, folder: dirname(file) }).config.http.port, 9000);
});

for (const [name, text, says] of [
  [
    "a message centre's address",
    "[smsc]\nhost = '999.1.2.3'",
    /smsc\.host = "999\.1\.2\.3" .*a host name, or an IP address/,
  ],
  ["an address to listen on", "[http]\nhost = 'localhost:8080'", /http\.host = "localhost:8080" /],
  ["brackets around one", "[land]\nhost = '[::1]'", /land\.host = "\[::1\]" /],
  ["a URL's host", "[bank]\nurl = 'https://10.0.0.300/pay'", /bank\.url = .*an https URL/],
  [
    "a URL's port",
    "[http]\npublic_url = 'https://turnup.example:99999'",
    /http\.public_url = .*an http or https URL/,
  ],
  [
    "a base of links",
    "[http]\npublic_url = 'https://turnup.example/?from=sms'",
    /http\.public_url = .*without user and query/,
  ],
  [
    "a database's port",
    "[database]\nurl = 'postgres://db:99999/x'",
    /database\.url = \*\*\* .*a URL of PostgreSQL/,
  ],
  ["a page for help", "[portal]\ncare_url = 'help.example'", /portal\.care_url = "help\.example" .*tel:/],
  ["a script as a page for help", "[portal]\ncare_url = 'javascript:x'", /portal\.care_url/],
  ["an agent", "[portal]\nagent = '+442079460018'", /portal\.agent = .*tel:/],
  [
    "an operator's name",
    "[portal]\noperator = 'Lumo Mobile'",
    /portal\.operator = .*an operator's short name/,
  ],
  ["an operator's name of cards", "[applet]\noperator = 'Lumo'", /applet\.operator/],
  ["a fragment of", "[land]\nurl = 'https://turnup.example:8445#a'", /land\.url/],
] as const)
  test(`${name} that is none is refused at the start`, () => assert.match(refusalOf(text), says));

test("DATABASE_URL is database.url, and Turnup's own variable counts where both are there", () => {
  const both = { TURNUP_DATABASE_URL: "postgres://own/x", DATABASE_URL: "postgres://usual/x" };
  assert.equal(
    read("", { DATABASE_URL: "postgres://usual/x" }).config.database.url?.reveal(),
    "postgres://usual/x",
  );
  assert.equal(read("", both).config.database.url?.reveal(), "postgres://own/x");
});

const wrong = [
  {
    name: "a port beyond the range",
    text: "[http]\nport = 70000",
    says: /http\.port = 70000 \(.*turnup\.toml\): must be an integer from 0 to 65535/,
  },
  { name: "text where a number belongs", text: "[http]\nport = '80'", says: /http\.port = "80" .*integer/ },
  { name: "a fraction of a window", text: "[smsc]\nwindow = 1.5", says: /smsc\.window = 1\.5 / },
  {
    name: "a level that does not exist",
    text: "[log]\nlevel = 'loud'",
    says: /log\.level = "loud" .*one of trace, debug, info/,
  },
  {
    name: "a setting that does not exist",
    text: "[http]\nprot = 1",
    says: /http\.prot .*no such setting; there are http\.host, http\.port/,
  },
  {
    name: "a section that does not exist",
    text: "[htpp]\nport = 1",
    says: /htpp\.port .*no such section; there are .*http/,
  },
  { name: "a setting outside any section", text: "port = 1", says: /port .*stand in a section/ },
  {
    name: "a URL of another kind",
    text: "[http]\npublic_url = 'ftp://x'",
    says: /http\.public_url = "ftp:\/\/x" .*an http or https URL/,
  },
  { name: "a host with a path", text: "[smsc]\nhost = 'a/b'", says: /smsc\.host/ },
  { name: "a list", text: "[http]\nhost = ['a']", says: /http\.host = \["a"\]/ },
  { name: "a file that is no TOML, with the line", text: "[http]\nport = = 1", says: /line 2, column \d+/ },
];
for (const { name, text, says } of wrong) {
  test(`refused with key, value, source and what is allowed: ${name}`, () => {
    assert.match(refusalOf(text), says);
  });
}

test("a wrong or unknown variable of the environment is refused by its name", () => {
  assert.match(
    refusalOf("", { TURNUP_HTTP_PORT: "eighty" }),
    /http\.port = "eighty" \(TURNUP_HTTP_PORT\): must be/,
  );
  assert.match(refusalOf("", { TURNUP_HTTP_PROT: "1" }), /TURNUP_HTTP_PROT .*no such setting/);
  assert.match(refusalOf("", { TURNUP_SMSC_TLS: "yes" }), /smsc\.tls = "yes" .*true or false/);
});

test("all mistakes are told at once", () => {
  const message = refusalOf("[http]\nport = -1\n[smsc]\nwindow = 0", { TURNUP_LOG_LEVEL: "loud" });
  for (const name of ["http.port", "smsc.window", "log.level"]) assert.ok(message.includes(name), name);
});

test("a secret is printed nowhere: not as a setting, not in a refusal, not from a broken file", () => {
  const { config } = read("[smsc]\npassword = 'hunter2'");
  assert.equal(config.smsc.password?.reveal(), "hunter2");
  assert.ok(!`${inspect(config, { depth: 9 })}${JSON.stringify(config)}`.includes("hunter2"));
  const message = refusalOf("[smsc]\npassword = 1234567\nhost = ''");
  assert.match(message, /smsc\.password = \*\*\*/);
  assert.ok(!message.includes("1234567"));
  assert.ok(!refusalOf("[smsc]\npassword = 'hunter2' x\n").includes("hunter2"));
});

test("a secret that no header can bear is refused at the start, and one in a URL is not told again", () => {
  for (const [section, key] of [
    ["payment", "secret"],
    ["bank", "secret"],
    ["identity", "secret"],
    ["element", "secret"],
    ["billing", "secret"],
    ["proxy", "manage_secret"],
  ]) {
    for (const secret of ["one\\ntwo", "gehe\u00efm", "\u20ac"])
      assert.match(
        refusalOf(`[${section}]\n${key} = "${secret}"`),
        new RegExp(`${section}\\.${key} = \\*\\*\\* .*printable ASCII`),
      );
    const file = fileOf(`[${section}]\n${key}_file = 'secret'`);
    writeFileSync(join(file, "..", "secret"), "one\ntwo\n");
    assert.throws(() => readConfig({ file, env: {} }), /printable ASCII/);
  }
  const url = refusalOf("[payment]\nurl = 'https://us:hunter2@pay.example'");
  assert.match(url, /payment\.url = "https:\/\/\*\*\*@pay\.example" .*without user/);
  const file = fileOf("[database]\nurl_file = 'url'");
  writeFileSync(join(file, "..", "url"), "postgres://us:hunter2@db:99999/x");
  assert.throws(() => readConfig({ file, env: {} }), /database\.url_file = .*a URL of PostgreSQL/);
});

test("a secret may stand in a file, beside the configuration or by variable, but not in two places", () => {
  const file = fileOf("[smsc]\npassword_file = 'secret'");
  writeFileSync(join(file, "..", "secret"), "hunter2\n");
  assert.equal(readConfig({ file, env: {} }).config.smsc.password?.reveal(), "hunter2");
  const byVariable = readConfig({ env: { TURNUP_SMSC_PASSWORD_FILE: join(file, "..", "secret") }, folder });
  assert.equal(byVariable.config.smsc.password?.reveal(), "hunter2");
  assert.match(refusalOf("[smsc]\npassword = 'a'\npassword_file = 'b'"), /give one of them/);
  assert.match(
    refusalOf("[smsc]\npassword_file = 'missing'"),
    /smsc\.password_file = .*missing: cannot be used/,
  );
  assert.match(refusalOf("[http]\nport_file = 'x'"), /http\.port_file .*no such setting/);
});

test("a path is relative to the file that says it, or to the current folder for a variable", () => {
  const file = fileOf("[data]\nfolder = 'here'");
  assert.equal(readConfig({ file, env: {} }).config.data.folder, join(file, "..", "here"));
  assert.equal(
    readConfig({ env: { TURNUP_DATA_FOLDER: "there" }, folder }).config.data.folder,
    join(folder, "there"),
  );
});

test("turnup.toml of the current folder is read, a named file that is missing is refused", () => {
  const here = join(folder, "here");
  mkdirSync(here);
  writeFileSync(join(here, "turnup.toml"), "[http]\nport = 9\n");
  assert.equal(readConfig({ env: {}, folder: here }).config.http.port, 9);
  assert.throws(() => readConfig({ file: join(here, "none.toml"), env: {} }), { code: "config_invalid" });
});

test("docs/operations.md lists every setting as the schema has it", () => {
  const document = readFileSync(join(import.meta.dirname, "../../../docs/operations.md"), "utf8");
  assert.equal(
    document,
    withSettingsTable(document),
    "run: node bin/turnup.js config --update docs/operations.md",
  );
  for (const { name, variable } of ALL_SETTINGS) {
    assert.ok(settingsTable().includes(name), name);
    assert.ok(settingsTable().includes(variable), variable);
  }
});

test("each duration and rate has a unit", () => {
  const timed = ALL_SETTINGS.filter(({ key }) => /(Ms|S|PerSecond)$/.test(key));
  assert.ok(timed.length > 5);
  for (const { name, schema } of timed) assert.ok(schema.unit, name);
});
