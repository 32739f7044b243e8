/**
 * The provisioning server: opens the store, loads what is known, starts the engine and the HTTP doors, and stops them in
 * the reverse order. It keeps nothing that another server on the same database would miss.
 */

import { createHash, randomBytes } from "node:crypto";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { DestinationStream } from "pino";
import { Registry as MeasureRegistry } from "prom-client";
import type { HttpDeps } from "../../http/ports.ts";
import { createHttpServer } from "../../http/server.ts";
import { seenFromHome } from "../../kernel/catalog/catalog-store.ts";
import type { BankPort } from "../../kernel/conductor/make-calls.ts";
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import type { ChangeSet } from "../../kernel/order/change-set.ts";
import type { OrderStore } from "../../kernel/order/order-store.ts";
import { CALL_KINDS } from "../../kernel/order/outbound-call.ts";
import { maySendUnconfirmed } from "../../kernel/order/unconfirmed.ts";
import { createBankClient } from "../../net/bank/client.ts";
import { bankPortOf } from "../../net/bank/port.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import { uuidv7 } from "../../store/database/uuid.ts";
import { shippedAccessPointIndex, shippedNetworks } from "../../store/dataset/access-point-data.ts";
import { loadShippedDatasets } from "../../store/dataset/dataset-store.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { openChangeChannel } from "../../store/node/change-channel.ts";
import { createDatabaseClock } from "../../store/node/database-clock.ts";
import { joinNodes } from "../../store/node/node-presence.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { createRegistry, type Registry } from "../../store/operator/registry.ts";
import { createRepeats } from "../../store/operator/repeats.ts";
import { readBacklog } from "../../store/orders/backlog.ts";
import { createOrderDesk } from "../../store/orders/order-desk.ts";
import { createOrderReader } from "../../store/orders/order-reader.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { createSettingsPages } from "../../store/orders/settings-pages.ts";
import { createTextDesk } from "../../store/orders/text-desk.ts";
import { putAccountNumber } from "../../store/requests/account-books.ts";
import { cardSecretOf } from "../../store/requests/account-store.ts";
import { createCardTries } from "../../store/requests/card-tries.ts";
import { createEnrolments } from "../../store/requests/enrolments.ts";
import { createPortalPeople } from "../../store/requests/portal-link.ts";
import { createRequestReader } from "../../store/requests/request-reader.ts";
import { createIntake } from "../../store/sightings/intake.ts";
import { createPairMemory } from "../../store/sightings/pair-memory.ts";
import { createPairings } from "../../store/sightings/pairings.ts";
import { createUnknownModels } from "../../store/sightings/unknown-models.ts";
import { TurnupError } from "../../term/error.ts";
import { issuerKeyOf } from "../../wire/message/issuer-key.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";
import { type Config, dataFolderOf } from "../config/config.ts";
import { httpOptionsOf } from "../config/http-options.ts";
import { readGatewaysFile, readLandSettings } from "../config/leg-config.ts";
import { createAppletReports } from "./applet-reports.ts";
import { type ConnectorConfig, connectorsOf } from "./connectors.ts";
import {
  type DeviceDoors,
  type LandPlace,
  landNameOf,
  openDeviceDoors,
  portalKeyOf,
  portalOperators,
} from "./device-doors.ts";
import { type Engine, startEngine } from "./engine.ts";
import { fetchModule } from "./fetch-module.ts";
import { createKnowledge, type Knowledge } from "./knowledge.ts";
import { startLoop } from "./loop.ts";
import { observeMachines } from "./machine-measures.ts";
import {
  createMachineWatch,
  type MachineNews,
  type MachineWatch,
  machineAt,
  refusalsOf,
} from "./machine-watch.ts";
import { type MakerCredentials, makerPorts } from "./maker-ports.ts";
import { countCardTries, countEnds, observe } from "./measures.ts";
import { createOwnDevices } from "./own-devices.ts";
import { type OwnIssuer, ownIssuer } from "./own-issuer.ts";
import { openPeers } from "./peers.ts";
import { openStore, type Store } from "./store.ts";
import { voicePlatformFinder } from "./voice-platforms.ts";
import { watchedConnectors } from "./watched-connectors.ts";
import { watchSession } from "./watched-session.ts";

/** What was imported is looked for this often while no word of it might be heard. */
const IMPORT_POLL_MS = 500;

export type ServerOptions = {
  readonly config: Config;
  /** For a person: what the start is doing. */
  readonly log: (message: string) => void;
  /** Log lines as JSON; none without it. */
  readonly logStream?: DestinationStream;
  /** Certificates for key servers, where they do not come from the configuration's files. */
  readonly makerCredentials?: MakerCredentials;
  /** Starts what is outside, beside the database; the configuration's own message centre and bank otherwise. */
  readonly outside?: (catalog: DeviceCatalog) => Promise<Outside>;
  /** Rows of the shipped data that are being loaded: the first start only. */
  readonly onProgress?: (done: number, total: number, name: string) => void;
  readonly onChanges?: (changes: ChangeSet) => void;
  readonly onFault?: (name: string, error: unknown) => void;
  /** A machine of others refuses our credentials, or takes them again. */
  readonly onMachine?: (news: MachineNews) => void;
  /** The embedded database died and does not come back: the server is of no use any more. */
  readonly onLost?: (error: TurnupError) => void;
  /** Machines that requests of the device's road ask; those of the configuration otherwise. */
  readonly connectors?: Partial<Connectors>;
  /** The door for proxies, where it does not come from the configuration's files. */
  readonly land?: LandPlace;
};

export type { MakerCredentials };

export type Server = {
  readonly url: string;
  readonly store: Store;
  readonly registry: Registry;
  readonly knowledge: Knowledge;
  readonly engine: Engine;
  readonly issuer: OwnIssuer;
  readonly deps: HttpDeps;
  readonly orders: OrderStore;
  readonly road: DeviceDoors;
  close(): Promise<void>;
};

/** What of the outside is known only once it runs: a message centre, key servers, a bank. */
export type Outside = {
  readonly smsc: Pick<Config["smsc"], "host" | "port" | "password">;
  readonly bank: Pick<Config["bank"], "url" | "secret">;
  readonly makerCredentials: MakerCredentials;
  /** Other companies' machines of the device's road. */
  readonly connectors?: ConnectorConfig;
  readonly land?: LandPlace;
};

export async function startServer(options: ServerOptions): Promise<Server> {
  // While the database starts, what is known is read: the two take about as long. Not before it has begun to start:
  // reading holds up everything else.
  let opening!: ReturnType<typeof openStore>;
  await new Promise<void>((begun) => {
    const { config, log, onLost } = options;
    opening = openStore({ config, log, onLost, onWaiting: begun });
    opening.catch(() => undefined).finally(begun); // it is awaited below, whatever happens first
  });
  const catalog = new DeviceCatalog(readShippedDatasets());
  const outside = options.outside?.(catalog);
  outside?.catch(() => undefined);
  const store = await opening;
  try {
    await loadShippedDatasets(store.database, () => uuidv7(), options.onProgress);
    return await startOn(store, catalog, { ...options, ...withOutside(options.config, await outside) });
  } catch (error) {
    await store.close();
    throw error;
  }
}

function withOutside(
  config: Config,
  outside: Outside | undefined,
): Pick<ServerOptions, "config" | "makerCredentials" | "land"> {
  if (!outside) return { config };
  const { smsc, bank, makerCredentials, connectors, land } = outside;
  return {
    config: {
      ...config,
      ...connectors,
      smsc: { ...config.smsc, ...smsc },
      bank: { ...config.bank, ...bank },
    },
    makerCredentials,
    ...(land && { land }),
  };
}

async function startOn(store: Store, catalog: DeviceCatalog, options: ServerOptions): Promise<Server> {
  const { config } = options;
  const { database, sealer } = store;
  // All servers on one database go by its clock: nothing is due later, and no lease lapses, because one's own is wrong.
  const databaseClock = createDatabaseClock();
  const clock = databaseClock.now;
  const newId = (): string => uuidv7(clock().getTime());
  const changes = await openChangeChannel(store.connection, options.onFault, databaseClock.set);
  const clockToleranceMs = config.clock.toleranceSeconds * 1_000;
  const ownDevices = createOwnDevices(catalog.data, database);
  await ownDevices.refresh();
  const knowledge = createKnowledge({
    catalog,
    ownDevices,
    accessPoints: shippedAccessPointIndex(),
    networks: shippedNetworks(),
    sealer,
  });
  const presence = await joinNodes(store.connection);
  const registry = createRegistry({ database, changes, sealer, newId, clock });
  const orders = createOrderStore(
    database,
    sealer,
    registry.ownWords,
    presence.number,
    knowledge.homePlmnOf,
    changes,
  );
  const isOwn = (origin: string): boolean =>
    serverNameOf(origin) === landNameOf(config.land, road?.land?.url);
  const items = seenFromHome(createCatalogStore({ database, changes, newId, clock }), isOwn);
  const issuerFile = join(dataFolderOf(config), "own-issuer.pem");
  const issuer = await ownIssuer({ database, sealer, file: issuerFile }, config.issuer.name);
  if (issuer.isOtherFile)
    options.log(`the database has another issuer's key than ${issuerFile}: its key counts`);
  const nowMs = (): number => clock().getTime();
  const machines = createMachineWatch({ nowMs, tell: options.onMachine });
  const makers = makerPorts(config, options.makerCredentials, machines);
  const bank = bankPort(config, machines);
  const opened = options.connectors
    ? { connectors: options.connectors, close: async () => undefined }
    : await connectorsOf(config);
  const peers = openPeers(config);
  const connectors = watchedConnectors({ ...opened.connectors, peerAt: peers.at }, config, machines);
  let publicUrl = config.http.publicUrl ?? "";
  let road: DeviceDoors | undefined;
  const measures = new MeasureRegistry();
  const countEnded = countEnds(measures);
  const shared = { database, sealer, newId, clock, termsOf: orders.termsOf, termsIn: orders.termsIn };
  const known = {
    homePlmnOf: knowledge.homePlmnOf,
    countryOf: knowledge.countryOf,
    onOrders: () => engine.wakeOrders(),
  };
  const memory = createPairMemory(presence.aloneSince, clockToleranceMs);
  const intake = createIntake({ ...shared, ...known, clockToleranceMs, memory });
  const engine: Engine = startEngine({
    store: orders,
    clock,
    newId,
    clockToleranceMs,
    smsc: smscOptions(config),
    judge: knowledge.judge,
    chooseSettings: knowledge.chooseSettings,
    ownIssuer: issuer,
    linkUrl: (token) => `${publicUrl}/s/${token}`,
    catalog: items,
    fetchModule: (url) => machines.during(machineAt("module", url), fetchModule(url)),
    requestUrl: (reference) => `${publicUrl}${DEVICE_PATHS.order(reference)}`,
    offerUrl: (token) => `${publicUrl}/d/offers/${token}`,
    peers: peers.peers,
    landName: () => landNameOf(config.land, road?.land?.url),
    connectors,
    makerAt: makers.at,
    bankOf: () => bank?.port,
    messageBatch: config.delivery.batch,
    applet: createAppletReports({ ...shared, homePlmnOf: knowledge.homePlmnOf, intake }, config),
    onChanges(changes) {
      countEnded(changes);
      options.onChanges?.(changes);
    },
    onFault: options.onFault ?? (() => undefined),
  });
  watchSession(engine.esme, machines, machineAt("smsc", `smpp://${config.smsc.host}:${config.smsc.port}`));
  observeMachines(measures, machines, nowMs);
  observe(measures, {
    ...engine,
    window: config.smsc.window,
    backlog: () => readBacklog(database, CALL_KINDS, clock()),
    nowMs,
  });
  const operators = portalOperators(database, config.portal, changes, knowledge.countryOf);
  const tries = createCardTries({
    database,
    sealer,
    limitsOf: async (operatorId) => (await orders.termsOf(operatorId)).policy.request.cardTries,
    onTry: countCardTries(measures),
    onPause: (operatorId, { of, tries, until }) =>
      registry.audit.record(operatorId, {
        actor: "card door",
        action: "card.testing",
        subject: of,
        detail: { tries, pausedUntil: until.toISOString() },
      }),
  });
  const forRoad = {
    desk: engine.conductor.requests,
    people: createPortalPeople(database, sealer),
    key: portalKeyOf(sealer),
    cardsOf(operatorId: string) {
      const provider = connectors.paymentProviderOf?.(operatorId);
      return provider && { provider, secret: cardSecretOf(sealer, operatorId), tries };
    },
    publicUrl: () => publicUrl,
    freshOctets: (octets: number) => Uint8Array.from(randomBytes(octets)),
  };
  const enrolments = createEnrolments(database, sealer, forRoad.people, newId);
  const requestReader = createRequestReader(database, sealer, clock);
  const deps: HttpDeps = {
    ...registry,
    clock,
    issuer: issuerKeyOf(issuer.name, issuer.publicKey),
    monotonicMs: () => performance.now(),
    changes,
    newId,
    repeats: createRepeats({ database, newId, clock }),
    pairings: createPairings(database, sealer),
    catalog: items,
    peers: peers.peers,
    hasServer: peers.hasServer && ((origin) => isOwn(origin) || peers.hasServer?.(origin) === true),
    requests: {
      ...forRoad,
      reader: requestReader,
      putAccountNumber: (given) => putAccountNumber(database, sealer, given),
      operatorOf: operators.of,
      agentOf: () => config.portal.agent,
      voicePlatformAt: voicePlatformFinder(config.portal, operators),
    },
    enrolments,
    intake,
    orders: createOrderReader(database, sealer),
    orderDesk: createOrderDesk({ ...shared, ...known, memory, conductor: engine.conductor }),
    confirmations: {
      accept: (operatorId, confirmations) => engine.conductor.confirm(operatorId, confirmations),
    },
    symptoms: {
      accept: (operatorId, seen) => engine.conductor.symptomsSeen(operatorId, seen),
    },
    texts: createTextDesk({
      ...shared,
      randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
      courier: engine.courier,
      nodeNumber: presence.number,
      onMessages: () => engine.wakeMessages(),
    }),
    devices: {
      describe: async (operatorId, imei) =>
        knowledge.describe(await orders.termsOf(operatorId), imei, clock()),
      runsKeys: async (operatorId, make) => knowledge.runsKeys(operatorId, make),
    },
    unknownModels: createUnknownModels(database, knowledge.isNamed),
    settings: {
      find: async (operatorId, query) => knowledge.findSettings(query, await orders.termsOf(operatorId)),
    },
    pages: createSettingsPages({
      ...shared,
      onOpened: (orderId, itemId) => engine.books.linkOpened({ orderId, itemId }),
      maySendUnconfirmed: async (operatorId) => maySendUnconfirmed(await orders.termsOf(operatorId)),
    }),
    refusals: () => refusalsOf(machines),
    readiness: [
      { name: "database", check: async () => void (await database.rows("select 1")) },
      {
        name: "smsc",
        check: async () => {
          if (engine.esme.state.name !== "bound")
            throw new Error(`the SMSC session is ${engine.esme.state.name}`);
        },
      },
    ],
  };
  const imports = startLoop({
    name: "imports",
    pauseMs: IMPORT_POLL_MS,
    pass: async () => {
      if (!changes.isHeard()) await ownDevices.refresh();
      return false;
    },
    onFailure: options.onFault ?? (() => undefined),
  });
  changes.onChange((news) => {
    if (news === "everything" || news.kind === "datasets")
      ownDevices.refresh().catch((error: unknown) => options.onFault?.("imports", error));
    engine.wakeOrders(); // some may have waited for it
  });
  let http: FastifyInstance;
  try {
    road = await openDeviceDoors(
      {
        ...forRoad,
        clock,
        monotonicMs: () => performance.now(),
        operatorAt: operators.at,
        catalog: items,
        policies: registry.policies,
        repeats: deps.repeats,
        texts: deps.texts,
        peers: peers.peers,
        limits: config.portal,
        gateways: config.portal.gatewaysFile ? await readGatewaysFile(config.portal.gatewaysFile) : [],
        onShown: (seen) =>
          void requestReader
            .noteScreen({ ...seen, channel: "screen" })
            .catch((error: unknown) => options.onFault?.("last screen not noted", error)),
        onFault: options.onFault ?? (() => undefined),
      },
      options.land ?? (await readLandSettings(config)),
      async (token, proxy) => {
        const operator = await operators.at({ proxy }); // a token of another operator's is none behind this one's proxies
        return (
          operator && enrolments.spend(operator.id, createHash("sha256").update(token).digest(), clock())
        );
      },
    );
    http = await createHttpServer(deps, {
      ...httpOptionsOf(config),
      registry: measures,
      portal: road.portal,
      ...(options.logStream ? { log: { level: config.log.level, stream: options.logStream } } : {}),
    });
    await listen(http, config);
  } catch (error) {
    await road?.close();
    await imports.stop();
    await engine.stop();
    await opened.close();
    await changes.close();
    await presence.close();
    throw error;
  }
  const url = urlOf(config.http.host, (http.server.address() as AddressInfo).port);
  if (publicUrl === "") publicUrl = url;
  return {
    url,
    store,
    registry,
    knowledge,
    engine,
    issuer,
    deps,
    orders,
    road,
    async close() {
      await http.close();
      await road.close();
      await imports.stop();
      await engine.stop();
      await opened.close();
      peers.close();
      makers.close();
      bank?.close();
      await changes.close();
      await presence.close();
      await store.close();
    },
  };
}

async function listen(http: FastifyInstance, { http: { host, port } }: Config): Promise<void> {
  try {
    await http.listen({ host, port });
  } catch (cause) {
    const { code = "", message } = cause as NodeJS.ErrnoException;
    if (!/^E(ADDR|ACCES)/.test(code)) throw cause;
    const why = code === "EADDRINUSE" ? "another program has it" : message;
    throw new TurnupError("http_port_unusable", `the API cannot listen at ${host} port ${port}: ${why}`, {
      cause,
      nextStep: "Stop the other program, or choose a port: TURNUP_HTTP_PORT=8081, or 0 for any free one.",
    });
  }
}

const urlOf = (host: string, port: number): string =>
  `http://${host.includes(":") ? `[${host}]` : host}:${port}`;

function smscOptions({ smsc }: Config): Parameters<typeof startEngine>[0]["smsc"] {
  return {
    name: `${smsc.host}:${smsc.port}`,
    host: smsc.host,
    port: smsc.port,
    systemId: smsc.systemId,
    password: () => smsc.password?.reveal() ?? "",
    window: smsc.window,
    enquireLinkMs: smsc.enquireLinkMs,
    responseTimeoutMs: smsc.responseTimeoutMs,
    receiptIds: smsc.receiptIds,
    ...(smsc.tls ? { tls: {} } : {}),
    ...(smsc.systemType === undefined ? {} : { systemType: smsc.systemType }),
    ...(smsc.ratePerSecond === undefined ? {} : { ratePerSecond: smsc.ratePerSecond }),
  };
}

function bankPort(
  { bank }: Config,
  machines: MachineWatch,
): { readonly port: BankPort; close(): void } | undefined {
  if (!bank.url) return undefined;
  const client = createBankClient({
    url: bank.url,
    secret: bank.secret?.reveal() ?? "",
    timeoutMs: bank.timeoutMs,
  });
  const port = machines.watch(machineAt("bank", bank.url), bankPortOf(client));
  return { port, close: client.close };
}
