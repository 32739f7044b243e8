/**
 * `turnup serve`: the server, against the message centre, key servers and payment system of the configuration; with
 * `--with-proxy` in one process with the proxy that leads devices to it (US 6,647,260 column 6: one device may be both).
 */
import pino, { type Logger } from "pino";
import type { ReadinessCheck } from "../../http/ports.ts";
import type { EsmeState } from "../../net/smsc/esme.ts";
import { type Config, readConfig } from "../config/config.ts";
import {
  changeProxy,
  landBeside,
  manageBeside,
  readProxyPlace,
  serversBeside,
  startConfiguredProxy,
  toldOf,
} from "../party/configured-proxy.ts";
import type { ProxyServer } from "../party/proxy.ts";
import { checkConfig } from "../server/check-config.ts";
import { opening } from "../server/closing-stack.ts";
import { openLogStream } from "../server/log-stream.ts";
import { untilStopped } from "../server/lost.ts";
import { certificateLog, machineLog, revocationLog, strangersLog } from "../server/machine-log.ts";
import { PROXY_MAY_CHANGE, reloadOnHangup, SERVER_MAY_CHANGE } from "../server/reload.ts";
import { type Server, startServer } from "../server/server.ts";
import type { ServerOptions } from "../server/server-options.ts";
import type { Command, CommandContext } from "../terminal/command.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the server on the real network that the configuration names, without simulators",
  description: [
    "Writes log lines as JSON to standard output, and what a person needs to know of the start to standard error.",
    "Any number of them may run on one database (database.url). It stops in order on SIGTERM or Ctrl-C, and reads its",
    "files again on SIGHUP (docs/operations.md says which).",
    "Where its embedded database died and does not come back, it ends with 75: start it again.",
    "With --with-proxy the proxy runs in the same process, by the settings of its section; without files of the land",
    "section their certificates and keys are made in proxy.folder at the first start.",
    "An operator and its first token are made by `turnup operator add` and `turnup token add`.",
  ].join("\n"),
  options: [
    { flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" },
    { flags: "--with-proxy", about: "run the proxy in this process too" },
  ],
  examples: [
    "turnup serve --config /etc/turnup/turnup.toml",
    "turnup serve --with-proxy --config /etc/turnup/turnup.toml",
  ],
  stays: true,
  async run(context) {
    const source = { file: context.option("config"), env: context.env };
    const { config } = readConfig(source);
    await checkConfig(config, context.env, { withProxy: context.flag("with-proxy") });
    const logStream = openLogStream({ dest: 1, sync: true }); // the last lines before a stop are the ones wanted
    const log = pino({ level: config.log.level }, logStream);
    const stay = untilStopped(context.signal);
    const options: ServerOptions = {
      config,
      onLost: stay.onLost,
      log: context.note,
      logStream,
      onMachine: machineLog(log),
      onStrangers: strangersLog(log),
      onRevocation: revocationLog(log),
      onCertificates: certificateLog(log),
      onFault: (name, error) =>
        log.error({ loop: name, reason: error instanceof Error ? error.message : String(error) }, "fault"),
    };
    const { server, apply, close } = await (context.flag("with-proxy")
      ? startBoth(context, options, log)
      : startAlone(options));
    tellSmsc(server, log);
    reloadOnHangup(context, {
      source,
      inForce: config,
      mayChange: context.flag("with-proxy") ? [...SERVER_MAY_CHANGE, ...PROXY_MAY_CHANGE] : SERVER_MAY_CHANGE,
      log,
      async apply(next) {
        await apply(next);
        log.level = next.log.level;
      },
    });
    context.note(`Turnup serves at ${server.url}`);
    if (server.eirPort !== undefined)
      context.note(`5G-EIR by HTTP/2 at ${config.eir.host} port ${server.eirPort}`);
    if (server.gsupPort !== undefined) context.note(`GSUP at ${config.gsup.host} port ${server.gsupPort}`);
    if (server.s13Port !== undefined)
      context.note(`Diameter S13 at ${config.s13.host} port ${server.s13Port}`);
    if (server.radiusPort !== undefined)
      context.note(`RADIUS accounting by UDP at ${config.radius.host} port ${server.radiusPort}`);
    if (server.radiusTlsPort !== undefined)
      context.note(`RADIUS over TLS at ${config.radius.host} port ${server.radiusTlsPort}`);
    if (server.partnerUrl !== undefined)
      context.note(`partners and voice platforms by mutual TLS at ${server.partnerUrl}`);
    await stay.end(close);
    return "ok";
  },
};

type Started = {
  readonly server: Server;
  /** @throws Error: all stayed as it was */
  apply(config: Config): Promise<void>;
  close(): Promise<void>;
};

async function startAlone(options: ServerOptions): Promise<Started> {
  const server = await startServer(options);
  return { server, apply: (next) => server.change(next), close: () => server.close() };
}

/** The proxy opens last and closes first: no device is let in while nothing stands behind it. */
const startBoth = (context: CommandContext, options: ServerOptions, log: Logger): Promise<Started> =>
  opening(async (closing) => {
    const { config } = options;
    const place = await readProxyPlace(config, context.env, context.now(), { besideServer: true });
    const land = await landBeside(config, place, context.now());
    const beside: { proxy: ProxyServer | undefined } = { proxy: undefined };
    const server = closing.use(
      await startServer({ ...options, ...(land && { land }), alsoReady: [proxyIsReady(beside)] }),
    );
    const servers = serversBeside(config, place, land, server.road.land?.url);
    const manage = manageBeside(config, place);
    const proxy = closing.use(await startConfiguredProxy(manage.config, place, servers, log));
    beside.proxy = proxy;
    const door = manage.addressOf(proxy);
    if (door) server.nameProxyDoor(place.policy.id, door);
    context.note(toldOf(proxy, place));
    return {
      server,
      async apply(next) {
        const now = await readProxyPlace(next, context.env, context.now(), { besideServer: true });
        const door = await landBeside(next, now, context.now());
        await server.change(next, door);
        const servers = serversBeside(next, now, door, server.road.land?.url);
        await changeProxy(proxy, now, servers, { id: place.policy.id, tls: next.tls });
      },
      close: () => closing.close(),
    };
  });

/** Ready when the server has proved itself to the proxy: from then on devices are led through. */
const proxyIsReady = (beside: { readonly proxy: ProxyServer | undefined }): ReadinessCheck => ({
  name: "proxy",
  async check() {
    if (!beside.proxy) throw new Error("the proxy is starting");
    await beside.proxy.reach();
  },
});

function tellSmsc({ engine: { centres } }: Server, log: Logger): void {
  centres.onOpened(({ label, session }) => {
    const tell = (state: EsmeState): void => {
      const news = { centre: label, ...state };
      if (state.name === "bound") log.info(news, "smsc");
      else if (state.name === "waiting" || state.name === "refused") log.warn(news, "smsc");
    };
    tell(session.state);
    session.on("state", tell);
  });
}
