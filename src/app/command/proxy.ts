/** `turnup proxy`: the proxy between airnet and landnet, alone. */
import { createPublicKey } from "node:crypto";
import { join } from "node:path";
import pino from "pino";
import { TurnupError } from "../../term/error.ts";
import { ensureProxyCertificates, type ProxyCertificates } from "../certificates/leg-certificates.ts";
import { type Config, dataFolderOf, readConfig } from "../config/config.ts";
import { type ProxyPolicy, readAccountsFile, readPolicyFile } from "../config/leg-config.ts";
import { type ProxyServer, startProxy } from "../party/proxy.ts";
import { openLogStream } from "../server/log-stream.ts";
import { machineLog } from "../server/machine-log.ts";
import type { Command } from "../terminal/command.ts";

export const proxyCommand: Command = {
  name: "proxy",
  summary: "Run the proxy that leads devices to provisioning servers, both sides proved",
  description: [
    "Devices come by TLS 1.3 with a certificate; servers are reached by mutual TLS and prove themselves by a key that the",
    "policy pins. On first start it makes its certificates and keys in proxy.folder, and says what a provisioning server",
    "must know of it. Each session that ends by force is one log line on standard output, without identifiers in clear.",
  ].join("\n"),
  options: [{ flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" }],
  examples: [
    "TURNUP_PROXY_POLICY_FILE=proxy.json turnup proxy",
    "turnup proxy --config /etc/turnup/turnup.toml",
  ],
  stays: true,
  async run(context) {
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const { policyFile, accountsFile } = config.proxy;
    if (policyFile === undefined)
      throw new TurnupError("config_invalid", "proxy.policy_file is not set.", {
        nextStep: "See docs/operations.md for such a file.",
      });
    const policy = await readPolicyFile(policyFile);
    const accounts = accountsFile === undefined ? [] : await readAccountsFile(accountsFile);
    const folder = config.proxy.folder ?? join(dataFolderOf(config, context.env), "proxy");
    const certificates = await certificatesIn(folder, policy, config, context.now());
    const log = pino({ level: config.log.level, base: null }, openLogStream({ dest: 1, sync: true }));
    const proxy = await startProxy({
      ...optionsOf(config),
      id: policy.id,
      servers: policy.servers,
      gateways: policy.gateways,
      bearers: policy.bearers,
      certificates,
      journalFolder: join(folder, "journal"),
      onMachine: machineLog(log),
      onTerminated: (record) => log.warn(record, "session ended"),
      onFault: (error) => log.error({ reason: error.message }, "fault"),
    });
    try {
      await proxy.openAccounts(accounts); // a SIM that moved since the file was written stays where it is
      context.note(toldOf(proxy, policy, certificates, folder));
      await aborted(context.signal);
    } finally {
      await proxy.close();
    }
    return "ok";
  },
};

const optionsOf = ({ proxy }: Config) => ({
  host: proxy.host,
  port: proxy.port,
  limits: { timeoutMs: proxy.timeoutMs },
  ...(proxy.gatewayPort !== undefined && {
    gatewayDoor: { host: proxy.gatewayHost, port: proxy.gatewayPort },
  }),
});

const certificatesIn = (
  folder: string,
  policy: ProxyPolicy,
  { proxy }: Config,
  now: Date,
): Promise<ProxyCertificates> =>
  ensureProxyCertificates({
    folder: join(folder, "certificates"),
    proxyId: policy.id,
    hosts: [
      ...new Set([
        "localhost",
        "127.0.0.1",
        "::1",
        ...(/^(?:0\.0\.0\.0|::)$/.test(proxy.host) ? [] : [proxy.host]),
      ]),
    ],
    ...(policy.factoryAuthorities && { factoryAuthorities: policy.factoryAuthorities }),
    now,
  });

/** What devices and provisioning servers must know of this proxy. */
function toldOf(
  proxy: ProxyServer,
  policy: ProxyPolicy,
  { signing }: ProxyCertificates,
  folder: string,
): string {
  const key = createPublicKey(signing.key).export({ type: "spki", format: "der" }).toString("base64");
  return [
    `${policy.id} serves devices at ${proxy.url}, ${proxy.accounts()} accounts` +
      (proxy.gatewayUrl === undefined ? "" : `, gateways at ${proxy.gatewayUrl}`),
    `devices and servers trust it by ${join(folder, "certificates", "proxy", "authority.crt")}`,
    `in a server's land.proxies_file: ${JSON.stringify([{ id: policy.id, keys: [{ keyid: signing.keyid, algorithm: signing.algorithm, publicKey: key }] }])}`,
  ].join("\n");
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
