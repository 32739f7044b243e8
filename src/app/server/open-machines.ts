/** What this server asks of machines of others: clients of those that the configuration names, watched for whether they let us in. */
import type { BankPort } from "../../kernel/conductor/make-calls.ts";
import { createBankClient } from "../../net/bank/client.ts";
import { bankPortOf } from "../../net/bank/port.ts";
import type { Config } from "../config/config.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { connectorsOf } from "./connectors.ts";
import { fetchModule } from "./fetch-module.ts";
import { liveConnectors } from "./live-connectors.ts";
import { createMachineWatch, type MachineWatch, machineAt } from "./machine-watch.ts";
import { makerPorts } from "./maker-ports.ts";
import { livePeers, openPeers } from "./peers.ts";
import { createRetired } from "./retired.ts";
import type { ServerOptions } from "./server-options.ts";
import { watchedConnectors } from "./watched-connectors.ts";

export type Machines = Awaited<ReturnType<typeof openMachines>>;

/** @throws TurnupError `config_invalid`, `file_unreadable`: nothing is asked of anybody then */
export async function openMachines(closing: ClosingStack, nowMs: () => number, options: ServerOptions) {
  const { config } = options;
  const watch = createMachineWatch({ nowMs, tell: options.onMachine });
  const bank = closing.use(liveBank(config, watch));
  const makers = closing.use(makerPorts(config, options.makerCredentials, watch));
  const peers = closing.use(livePeers(openPeers(config)));
  const live = options.connectors ? undefined : closing.use(liveConnectors(await opened(config, watch)));
  const given = options.connectors && watchedConnectors(options.connectors, config, watch);
  return {
    watch,
    connectors: { ...(live?.connectors ?? given), ...watchedConnectors({ peerAt: peers.at }, config, watch) },
    /** Opens anew what the configuration says now; answers what puts it into force. @throws TurnupError: nothing is changed */
    async prepare(next: Config): Promise<() => void> {
      const [changeMakers, changeBank, nextPeers] = [
        makers.prepare(next),
        bank.prepare(next),
        openPeers(next),
      ];
      const connectors = live && (await opened(next, watch));
      return () => {
        changeMakers();
        changeBank();
        peers.change(nextPeers);
        if (connectors) live.change(connectors);
      };
    },
    peers: peers.peers,
    hasServer: peers.hasServer,
    makerAt: makers.at,
    bankOf: bank.of,
    fetchModule: (url: string) => watch.during(machineAt("module", url), fetchModule(url)),
  };
}

async function opened(config: Config, watch: MachineWatch) {
  const { connectors, close } = await connectorsOf(config);
  return { connectors: { ...connectors, ...watchedConnectors(connectors, config, watch) }, close };
}

/** The payment system, which may be another while payments are under way: each is asked again under its own id. */
function liveBank(config: Config, machines: MachineWatch) {
  let current = bankOf(config, machines);
  const retired = createRetired();
  return {
    of: () => current?.port,
    /** @throws RangeError: another machine is reached over https only */
    prepare(next: Config): () => void {
      const opened = bankOf(next, machines);
      return () => {
        if (current) retired.add(current);
        current = opened;
      };
    },
    async close(): Promise<void> {
      await retired.close();
      current?.close();
    },
  };
}

function bankOf({ bank }: Config, machines: MachineWatch) {
  if (!bank.url) return undefined;
  const { url, timeoutMs } = bank;
  const client = createBankClient({ url, secret: bank.secret?.reveal() ?? "", timeoutMs });
  const port: BankPort = machines.watch(machineAt("bank", url), bankPortOf(client));
  return { port, close: () => client.close() };
}
