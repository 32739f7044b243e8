/** `turnup proxy`: the proxy between airnet and landnet, alone. */
import pino from "pino";
import { readConfig } from "../config/config.ts";
import {
  changeProxy,
  manageDoorOf,
  readProxyPlace,
  startConfiguredProxy,
  toldOf,
} from "../party/configured-proxy.ts";
import { openLogStream } from "../server/log-stream.ts";
import { untilStopped } from "../server/lost.ts";
import { PROXY_MAY_CHANGE, reloadOnHangup } from "../server/reload.ts";
import { checkRevocation } from "../server/revocation.ts";
import type { Command } from "../terminal/command.ts";

export const proxyCommand: Command = {
  name: "proxy",
  summary: "Run the proxy that leads devices to provisioning servers, both sides proved",
  description: [
    "Devices come by TLS 1.3 with a certificate; servers are reached by mutual TLS and prove themselves by a key that the",
    "policy pins. On first start it makes its certificates and keys in proxy.folder, and says what a provisioning server",
    "must know of it. Each session that ends by force is one log line on standard output, without identifiers in clear.",
    "SIGHUP reads policy, accounts and certificates again; `turnup serve --with-proxy` runs it in its server's process.",
  ].join("\n"),
  options: [{ flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" }],
  examples: [
    "TURNUP_PROXY_POLICY_FILE=proxy.json turnup proxy",
    "turnup proxy --config /etc/turnup/turnup.toml",
  ],
  stays: true,
  async run(context) {
    const source = { file: context.option("config"), env: context.env };
    const { config } = readConfig(source);
    const place = await readProxyPlace(config, context.env, context.now(), { besideServer: false });
    const { factoryAuthorities, enrolment } = place.certificates;
    await checkRevocation(config.tls, [...factoryAuthorities, enrolment.certificate]);
    const log = pino({ level: config.log.level, base: null }, openLogStream({ dest: 1, sync: true }));
    const proxy = await startConfiguredProxy(config, place, place.policy.servers, log);
    reloadOnHangup(context, {
      source,
      inForce: config,
      mayChange: [...PROXY_MAY_CHANGE, "proxy.manage_secret"],
      log,
      async apply(next) {
        const now = await readProxyPlace(next, context.env, context.now(), { besideServer: false });
        const manageSecret = manageDoorOf(next.proxy).manageDoor?.secret;
        await changeProxy(proxy, now, now.policy.servers, {
          id: place.policy.id,
          tls: next.tls,
          manageSecret,
        });
        log.level = next.log.level;
      },
    });
    context.note(toldOf(proxy, place));
    await untilStopped(context.signal).end(() => proxy.close());
    return "ok";
  },
};
