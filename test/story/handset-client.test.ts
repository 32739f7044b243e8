/**
 * R118: the client as shipped code. The example of docs/handset-client.md is taken as it stands, compiled against the packed package in
 * a folder that has nothing else, and run as a device of its own against a server with its proxy: it enrols, orders by keys, agrees to
 * the terms that came by SMS, and installs; switched on again it is the same device.
 */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "vitest";
import type { Key } from "../../src/client/index.ts";
import { createEsme } from "../../src/net/smsc/esme.ts";
import { userDataOf } from "../../src/wire/smpp/user-data.ts";
import {
  accountsFile,
  askerWhoAccepts,
  DEVICE,
  ISSUER,
  type MachinesApart,
  machinesApart,
  makeDevice,
  RADIO,
  setUpOperator,
  VENDOR,
} from "../fixture/machines-apart.ts";
import { until } from "../fixture/story.ts";
import { whenDone } from "../fixture/when-done.ts";

const ROOT = join(import.meta.dirname, "..", "..");
/** Seven programs and a build are started for it, on whatever machine. */
const TIMEOUT_MS = 600_000;

/** The package and what it depends on, as npm lays them out, and nothing of this checkout. */
function makersFolder(folder: string): string {
  const place = join(folder, "maker");
  const modules = join(place, "node_modules");
  mkdirSync(modules, { recursive: true });
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: ROOT, stdio: "pipe" });
  const archive = readdirSync(folder).find((name) => name.endsWith(".tgz")) ?? "";
  execFileSync("tar", ["-xzf", join(folder, archive), "-C", modules]);
  execFileSync("mv", [join(modules, "package"), join(modules, "turnup")]);
  for (const name of readdirSync(join(ROOT, "node_modules")).filter((one) => !one.startsWith(".")))
    symlinkSync(join(ROOT, "node_modules", name), join(modules, name));
  writeFileSync(join(place, "package.json"), JSON.stringify({ type: "module", private: true }));
  return place;
}

/** The one program of the page, compiled as strictly as a maker may want it. */
function compile(place: string): void {
  const page = readFileSync(join(ROOT, "docs", "handset-client.md"), "utf8");
  const [, program = "", ...more] = page
    .split("```ts\n")
    .flatMap((text, at) => (at === 0 ? [""] : [text.split("```")[0] ?? ""]));
  assert.equal(more.length, 0, "one program stands on the page");
  writeFileSync(join(place, "device.ts"), program);
  const options = { target: "es2023", lib: ["es2023"], module: "nodenext", types: ["node"], strict: true };
  const strict = { noUncheckedIndexedAccess: true, exactOptionalPropertyTypes: true, skipLibCheck: false };
  writeFileSync(
    join(place, "tsconfig.json"),
    JSON.stringify({ compilerOptions: { ...options, ...strict }, include: ["device.ts"] }),
  );
  const tsc = join(dirname(createRequire(import.meta.url).resolve("typescript/package.json")), "bin", "tsc");
  const { stdout } = {
    stdout: execFileSync(process.execPath, [tsc, "--project", place], { encoding: "utf8" }),
  };
  assert.equal(stdout, "");
}

/** The program as a process; its SMS go over the message centre, to which its modem is bound. */
async function switchedOn(machines: MachinesApart, place: string) {
  const child = spawn(process.execPath, ["device.js"], { cwd: place, stdio: ["pipe", "pipe", "inherit"] });
  const seen: { readonly lines?: readonly string[]; readonly did?: { readonly kind: string } }[] = [];
  const modem = createEsme({
    host: "127.0.0.1",
    port: machines.smscPort,
    ...RADIO,
    onDeliver(pdu) {
      const { udh, data } = userDataOf(pdu);
      const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
      tell({ sms: { from: pdu.source_addr, udh: hex(udh), data: hex(data) } });
      return 0;
    },
  });
  const tell = (input: unknown): void => void child.stdin.write(`${JSON.stringify(input)}\n`);
  createInterface({ input: child.stdout }).on("line", (line) => {
    const said = JSON.parse(line);
    seen.push(said);
    if (!said.sms) return;
    void modem.submit({
      source_addr: DEVICE.msisdn,
      destination_addr: said.sms.to,
      data_coding: 4,
      short_message: Buffer.from(said.sms.data, "hex"),
    });
  });
  modem.start();
  const display = (): readonly string[] => seen.findLast(({ lines }) => lines)?.lines ?? [];
  const marked = (): string =>
    display()
      .find((line) => line.startsWith(">"))
      ?.slice(1)
      .trim() ?? "";
  const shows = (what: RegExp) =>
    until(
      () => display().join("\n"),
      (text) => what.test(text),
      `the display shows ${what}`,
    );
  const press = async (key: Key): Promise<void> => {
    const before = seen.length;
    tell({ key });
    await until(
      () => seen.length,
      (now) => now > before,
      `the key ${key} was heard`,
    );
  };
  return {
    seen,
    display,
    shows,
    press,
    /** Marks the line, on a screen of a few lines, and takes it. */
    async choose(label: RegExp): Promise<void> {
      await until(
        async () => {
          if (!label.test(marked())) await press("DOWN");
          return marked();
        },
        (line) => label.test(line),
        `the display marks ${label}`,
      );
      await press("SOFT_LEFT");
    },
    async off(): Promise<void> {
      child.stdin.end();
      if (child.exitCode === null) await once(child, "exit");
      await modem.stop();
    },
  };
}

test(
  "R118: a maker's device, made from the packed package by the page for makers, enrols, orders, installs, and is itself again after power off",
  async () => {
    const machines = await machinesApart();
    const { folder, start, ports } = machines;
    const token = await setUpOperator(machines);
    const place = makersFolder(folder);
    compile(place);
    const certificates = join(folder, "data", "proxy", "certificates");
    await start(
      ["serve", "--with-proxy"],
      {
        ...machines.environment,
        TURNUP_LAND_PORT: String(ports.land),
        TURNUP_PROXY_PORT: String(ports.proxy),
        TURNUP_PROXY_ACCOUNTS_FILE: accountsFile(machines),
      },
      /Turnup serves at/,
    );
    await makeDevice(machines, join(certificates, "factory", "authority"));
    const text = (name: string): string => readFileSync(join(folder, name), "utf8");
    writeFileSync(
      join(place, "device.json"),
      JSON.stringify({
        ...DEVICE,
        provisioningUri: `https://127.0.0.1:${ports.land}`,
        proxyUri: `https://127.0.0.1:${ports.proxy}`,
        proxyAuthority: readFileSync(join(certificates, "proxy", "authority.crt"), "utf8"),
        factory: { key: text("device.key"), certificate: text("device.crt") },
        issuers: { [ISSUER]: text("issuer.pem") },
        vendors: { [VENDOR]: text("vendor.pem") },
        memory: join(place, "memory"),
      }),
    );
    const { storyUntil } = await askerWhoAccepts(machines, token);
    const device = await switchedOn(machines, place);
    whenDone(() => device.off());
    await device.choose(/Features/);
    await device.choose(/Mail program/);
    await device.choose(/Order/);
    await device.choose(/Send|Order/);
    await device.choose(/accept|Agree|Yes/i);
    const installed = ({ did }: (typeof device.seen)[number]): boolean => did?.kind === "installation";
    await until(
      () => device.seen.some(installed),
      (done) => done,
      "the module was installed",
    );
    const story = await storyUntil(DEVICE, ({ endedAt }) => endedAt !== null, "the order has ended");
    assert.equal(story.state, "completed");
    await device.off();

    const again = await switchedOn(machines, place);
    whenDone(() => again.off());
    await again.shows(/Services/);
    assert.ok(!again.seen.some(installed), "nothing is installed twice");
    await again.choose(/Services/);
    await again.shows(/Welcome to/);
    await again.off();
  },
  TIMEOUT_MS,
);
