/** `turnup serve`: the server alone, against the message centre, key servers and payment system of the configuration. */
import pino from "pino";
import type { EsmeState } from "../../net/smsc/esme.ts";
import { readConfig } from "../config/config.ts";
import { openLogStream } from "../server/log-stream.ts";
import { untilStopped } from "../server/lost.ts";
import { machineLog } from "../server/machine-log.ts";
import { startServer } from "../server/server.ts";
import type { Command } from "../terminal/command.ts";

export const serveCommand: Command = {
  name: "serve",
  summary: "Run the server on the real network that the configuration names, without simulators",
  description: [
    "Writes log lines as JSON to standard output, and what a person needs to know of the start to standard error.",
    "Any number of them may run on one database (database.url). It stops in order on SIGTERM or Ctrl-C.",
    "Where its embedded database died and does not come back, it ends with 75: start it again.",
    "An operator and its first token are made by `turnup operator add` and `turnup token add`.",
  ].join("\n"),
  options: [{ flags: "--config <file>", about: "configuration (default ./turnup.toml where there is one)" }],
  examples: ["turnup serve --config /etc/turnup/turnup.toml"],
  stays: true,
  async run(context) {
    const { config } = readConfig({ file: context.option("config"), env: context.env });
    const logStream = openLogStream({ dest: 1, sync: true }); // the last lines before a stop are the ones wanted
    const log = pino({ level: config.log.level }, logStream);
    const stay = untilStopped(context.signal);
    const server = await startServer({
      config,
      onLost: stay.onLost,
      log: context.note,
      logStream,
      onMachine: machineLog(log),
      onFault: (name, error) =>
        log.error({ loop: name, reason: error instanceof Error ? error.message : String(error) }, "fault"),
    });
    const tellSmsc = (state: EsmeState): void => {
      if (state.name === "bound") log.info(state, "smsc");
      else if (state.name === "waiting" || state.name === "refused") log.warn(state, "smsc");
    };
    tellSmsc(server.engine.esme.state);
    server.engine.esme.on("state", tellSmsc);
    context.note(`Turnup serves at ${server.url}`);
    await stay.end(() => server.close());
    return "ok";
  },
};
