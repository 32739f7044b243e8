/** The doors of a server, opened last: the API with the portal of subscribers, and the door for proxies. */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { FastifyInstance } from "fastify";
import type { PortalDeps } from "../../http/d/ports.ts";
import type { HttpDeps, ReadinessCheck } from "../../http/ports.ts";
import { createHttpServer } from "../../http/server.ts";
import { isKeyWithheld } from "../../kernel/detected/withheld-key.ts";
import { maySendUnconfirmed } from "../../kernel/operator/unconfirmed.ts";
import type { GatewayRule } from "../../proxy/gateway-identity.ts";
import { packageFolder } from "../../store/dataset/folder.ts";
import { createModelImports } from "../../store/dataset/models-import.ts";
import { createKeyBatches } from "../../store/operator/key-batches.ts";
import { createProxyAccounts } from "../../store/operator/proxy-accounts.ts";
import { createProxyBook } from "../../store/operator/proxy-book.ts";
import { createRepeats } from "../../store/operator/repeats.ts";
import { createSessions } from "../../store/operator/sessions.ts";
import { simSubject } from "../../store/operator/sim-subject.ts";
import { createManagedDevices } from "../../store/orders/managed-devices.ts";
import { createOrderDesk } from "../../store/orders/order-desk.ts";
import { createOrderReader } from "../../store/orders/order-reader.ts";
import { createOverviews } from "../../store/orders/overview.ts";
import { createSettingsPages, createShownOf, type ShownOf } from "../../store/orders/settings-pages.ts";
import { createTextDesk } from "../../store/orders/text-desk.ts";
import { putAccountNumber } from "../../store/requests/account-books.ts";
import { cardSecretOf } from "../../store/requests/account-store.ts";
import { createCardTries } from "../../store/requests/card-tries.ts";
import { createEnrolments } from "../../store/requests/enrolments.ts";
import { createPortalPeople } from "../../store/requests/portal-link.ts";
import { createRequestReader } from "../../store/requests/request-reader.ts";
import { createTelephonePins } from "../../store/requests/telephone-pins.ts";
import { createErasure } from "../../store/retention/people.ts";
import { createRetention } from "../../store/retention/retention.ts";
import { createCollectionReturns } from "../../store/settlement/collection-returns.ts";
import { createCollections } from "../../store/settlement/collections.ts";
import { createCreditors } from "../../store/settlement/creditors.ts";
import { createDisputes } from "../../store/settlement/disputes.ts";
import { createPaymentDesk } from "../../store/settlement/payment-desk.ts";
import { createStatements } from "../../store/settlement/statements.ts";
import { createLineReader } from "../../store/sightings/lines.ts";
import { createPairings } from "../../store/sightings/pairings.ts";
import { TurnupError } from "../../term/error.ts";
import { parseImsi } from "../../term/imsi.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import { issuerKeyOf } from "../../wire/message/issuer-key.ts";
import { watchCertificates } from "../certificates/certificate-watch.ts";
import { openProfileSigner } from "../certificates/profile-signer.ts";
import type { Config } from "../config/config.ts";
import { httpOptionsOf } from "../config/http-options.ts";
import { readGatewaysFile, readLandSettings } from "../config/leg-config.ts";
import { readPartnerPlace } from "../config/partner-config.ts";
import { portOf, urlOf } from "./address.ts";
import { apiDocsFolder } from "./api-docs.ts";
import { camaraDeps } from "./camara.ts";
import type { ClosingStack } from "./closing-stack.ts";
import {
  type DeviceDoors,
  type LandPlace,
  openDeviceDoors,
  type PortalOperators,
  portalKeyOf,
  portalOperators,
} from "./device-doors.ts";
import { reviewDeps, saidOf } from "./device-review.ts";
import { openEquipment } from "./equipment.ts";
import { policyTestsOf } from "./job-kinds.ts";
import type { LandOptions } from "./land.ts";
import { lateSessions } from "./late-sessions.ts";
import { refusalsOf } from "./machine-watch.ts";
import { countManagedMessages } from "./managed-measures.ts";
import { countCardTries, strangersApart } from "./measures.ts";
import { openPartnerDoor, type PartnersNow } from "./partner-door.ts";
import { policyComparisons } from "./policy-comparison.ts";
import { policyReplays } from "./policy-replay-job.ts";
import { openProbeDoors, type ProbePorts } from "./probe-doors.ts";
import { measureProxyLists } from "./proxy-list-measures.ts";
import { type ProxyTeller, startProxyTeller } from "./proxy-teller.ts";
import { openRevocation } from "./revocation.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Opened, Work } from "./start-work.ts";
import { createStrangers } from "./strangers.ts";
import { voicePlatformFinder } from "./voice-platforms.ts";

/** What stands behind the doors. */
type Behind = Opened & Work;
/** What the portal and the API both ask when somebody requests something. */
type Shared = ReturnType<typeof sharedDeps>;

type Doors = ProbePorts & {
  readonly url: string;
  /** Of the door for partners, where there is one. */
  readonly partnerUrl: string | undefined;
  readonly deps: HttpDeps;
  readonly devices: DeviceDoors;
  readonly nameProxyDoor: ProxyTeller["nameDoor"];
  /** Reads the files of the doors anew; answers what puts them into force. @throws TurnupError: nothing is changed */
  prepare(next: Config, land: LandPlace | undefined): Promise<() => void>;
};

/** Where the console is built, in a checkout and in a package. */
const builtConsole = (): string => join(packageFolder(), "dist", "console");

/** @throws TurnupError `http_port_unusable`, `config_invalid`, `file_unreadable` */
export async function openDoors(
  closing: ClosingStack,
  behind: Behind,
  options: ServerOptions,
): Promise<Doors> {
  const { config } = options;
  const { database, changes, countryOf } = behind.stores;
  const operators = portalOperators(database, config.portal, changes, countryOf, (proxy) =>
    teller.operatorNamed(proxy),
  );
  const shared = sharedDeps(behind);
  const place = options.land ?? (await readLandSettings(config));
  const revocation = await measuredRevocation(behind, options);
  const teller = closing.use(openTeller(behind, operators, place, options));
  const accounts = proxyAccounts(behind, teller);
  const profiles = await openProfileSigner(config, behind.stores.clock);
  const certificates = closing.use(watchedCertificates(behind, options));
  const { equipment, sessions, asked } = await openForCores(closing, behind, operators.idOf, options);
  const also = { proxyAccounts: accounts, profileSigner: profiles.current, ...asked };
  const inside = { ...httpDeps(behind, shared, operators, config), ...also };
  const deps = { ...inside, readiness: [...inside.readiness, ...(options.alsoReady ?? [])] };
  const gateways = await gatewaysOf(config);
  const { displayOf } = behind.stores.knowledge;
  const forDevices = { ...deps, ...shared, gateways, displayOf, isShutOut: accounts.isShutOut };
  const strangers = strangersAt(behind, options);
  const devices = closing.use(
    await openForDevices(
      forDevices,
      {
        operators,
        place: place && { ...place, revocation: revocation.check },
        teller,
        onRefused: strangersApart(strangers.at("land"), options.onFault ?? (() => undefined)),
      },
      options,
    ),
  );
  behind.addresses.landUrl = devices.land?.url;
  const partnerPlace = await readPartnerPlace(config);
  const camara = await camaraDeps(config, camaraParts(behind, operators, options));
  const partners: PartnersNow = { clients: partnerPlace?.clients ?? new Map() };
  const within = { partners, registry: behind.measures, portal: devices.portal, camara };
  const http = closing.use(await createHttpServer(deps, { ...within, ...httpOptionsFor(options) }));
  const url = await listen(http, config);
  const checked = { revocation: revocation.check, onRefused: strangers.at("partner") };
  const partner = partnerPlace && (await openPartnerDoor(closing, http, partnerPlace, checked));
  behind.addresses.publicUrl ||= url;
  const probes = await openProbeDoors(closing, { ...behind, equipment }, operators.idOf, options, {
    ...{ revocation: revocation.check, strangers, sessions },
  });
  return {
    url,
    partnerUrl: partner?.url,
    ...probes.ports,
    deps,
    devices,
    nameProxyDoor: teller.nameDoor,
    async prepare(next, given) {
      const [land, rules] = [given ?? (await readLandSettings(next)), await gatewaysOf(next)];
      if (land) checkCertificates(land.certificates);
      const nextPartners = await readPartnerPlace(next);
      const changeProbes = await probes.prepare(next);
      const changeSigner = await profiles.prepare(next);
      const changeRevocation = await revocation.prepare(next.tls);
      const changeProxies = land && teller.prepare(land.proxies);
      return () => {
        if (land) devices.land?.change(land);
        changeProxies?.();
        changeSigner();
        certificates.change(next);
        changeRevocation();
        if (nextPartners) {
          partner?.change(nextPartners.tls);
          partners.clients = nextPartners.clients;
        }
        changeProbes();
        gateways.splice(0, gateways.length, ...rules);
        http.log.level = next.log.level;
      };
    },
  };
}

/** What the doors for cores and gateways share, and of it what the API asks for: sessions are known once those doors are open. */
async function openForCores(...[closing, behind, idOf, options]: Parameters<typeof openEquipment>) {
  const sessions = lateSessions();
  const equipment = await openEquipment(closing, behind, idOf, options, sessions.disconnect);
  return { equipment, sessions, asked: { equipmentChecks: equipment.book, dataSessions: sessions.port } };
}

const watchedCertificates = (
  { stores, measures }: Pick<Behind, "stores" | "measures">,
  { config, onCertificates }: ServerOptions,
): ReturnType<typeof watchCertificates> =>
  watchCertificates(config, { registry: measures, now: stores.clock, tell: onCertificates });

async function measuredRevocation(
  { stores, measures }: Pick<Behind, "stores" | "measures">,
  { config, onRevocation }: ServerOptions,
): ReturnType<typeof openRevocation> {
  const revocation = await openRevocation(config.tls, { now: stores.clock, tell: onRevocation });
  revocation.measure(measures);
  return revocation;
}

const camaraParts = (
  { stores, measures }: Pick<Behind, "stores" | "measures">,
  operators: PortalOperators,
  { onFault = () => undefined }: ServerOptions,
): Parameters<typeof camaraDeps>[1] => ({
  lines: createLineReader(stores.database, stores.sealer),
  ...{ operators, knowledge: stores.knowledge, sealer: stores.sealer, clock: stores.clock },
  ...{ registry: measures, onFault },
});

const strangersAt = (
  { measures }: Pick<Behind, "measures">,
  { onStrangers }: ServerOptions,
): ReturnType<typeof createStrangers> =>
  createStrangers({ registry: measures, nowMs: () => performance.now(), tell: onStrangers });

const httpOptionsFor = ({ config, logStream }: ServerOptions) => ({
  docsFolder: apiDocsFolder(),
  ...httpOptionsOf(config),
  consoleFolder: builtConsole(),
  ...(logStream ? { log: { level: config.log.level, stream: logStream } } : {}),
});

const gatewaysOf = async ({ portal: { gatewaysFile } }: Config): Promise<GatewayRule[]> =>
  gatewaysFile ? await readGatewaysFile(gatewaysFile) : [];

/** @throws TurnupError `config_invalid`: a key that is not its certificate's, or an authority that is none */
function checkCertificates({ server, proxyAuthority }: LandPlace["certificates"]): void {
  try {
    createSecureContext({ key: server.key, cert: server.certificate, ca: proxyAuthority });
  } catch (cause) {
    throw new TurnupError("config_invalid", "The certificates of the land section do not fit each other.", {
      cause,
      nextStep: "Check that land.key_file is the key of land.certificate_file, and that both are PEM.",
    });
  }
}

function sharedDeps({ stores, machines, addresses, engine, measures }: Behind) {
  const { database, sealer } = stores;
  const tries = cardTries(stores, measures);
  return {
    desk: engine.conductor.requests,
    selfCare: engine.conductor.selfCare,
    people: createPortalPeople(database, sealer),
    key: portalKeyOf(sealer),
    cardsOf(operatorId: string) {
      const provider = machines.connectors.paymentProviderOf?.(operatorId);
      return provider && { provider, secret: cardSecretOf(sealer, operatorId), tries };
    },
    publicUrl: () => addresses.publicUrl,
    freshOctets: (octets: number) => Uint8Array.from(randomBytes(octets)),
    reader: createRequestReader(database, sealer, stores.clock),
  };
}

const cardTries = (
  { database, sealer, termsOf, registry }: Opened["stores"],
  measures: Work["measures"],
): ReturnType<typeof createCardTries> =>
  createCardTries({
    database,
    sealer,
    limitsOf: async (operatorId) => (await termsOf(operatorId)).policy.request.cardTries,
    onTry: countCardTries(measures),
    onPause: (operatorId, { of, tries, until }) =>
      registry.audit.record(operatorId, {
        actor: "card door",
        action: "card.testing",
        subject: of,
        detail: { tries, pausedUntil: until.toISOString() },
      }),
  });

/** Tells the proxies of this server's place how accounts stand, each those of its operator. */
const openTeller = (
  { stores, machines: { watch } }: Behind,
  operators: PortalOperators,
  place: LandPlace | undefined,
  { onFault = () => undefined }: ServerOptions,
): ProxyTeller =>
  startProxyTeller(
    {
      book: createProxyBook(stores),
      watch,
      operatorOf: async (proxy) => (await operators.at({ proxy }))?.id,
      now: stores.clock,
      onFault,
    },
    place?.proxies ?? [],
  );

/** What is written here is told at once, not at the next look. */
function proxyAccounts(
  { stores, measures }: Pick<Behind, "stores" | "measures">,
  teller: ProxyTeller,
): HttpDeps["proxyAccounts"] {
  const store = createProxyAccounts(stores);
  const told = async <Value>(written: Promise<Value>): Promise<Value> => {
    const value = await written;
    teller.wake();
    return value;
  };
  measureProxyLists(measures, {
    async proxies() {
      const told = [...(await teller.byOperator())].map(async ([operatorId, ids]) =>
        (await store.proxies(operatorId)).filter(({ proxy }) => ids.includes(proxy)),
      );
      return (await Promise.all(told)).flat();
    },
    nowMs: () => stores.clock().getTime(),
  });
  return {
    ...store,
    put: (...given) => told(store.put(...given)),
    close: (...given) => told(store.close(...given)),
    async known(operatorId) {
      return (await teller.byOperator()).get(operatorId) ?? []; // another operator's devices do not come by these
    },
  };
}

function httpDeps(
  behind: Behind,
  shared: Shared,
  operators: PortalOperators,
  config: Config,
): Omit<HttpDeps, "proxyAccounts" | "equipmentChecks" | "dataSessions"> {
  const { stores, machines, addresses, intake, engine, jobs, approvals, imports, equipmentLists, simLocks } =
    behind;
  const { database, sealer, clock, newId, changes, issuer } = stores;
  const { peers, hasServer } = machines;
  return {
    ...stores.registry,
    sessions: createSessions(stores),
    sessionLimits: { idleMinutes: config.http.sessionIdleMinutes, totalHours: config.http.sessionHours },
    keyBatches: createKeyBatches(stores),
    erasure: createErasure(stores),
    events: stores.events,
    retention: createRetention({
      database,
      clock,
      policyOf: async (operatorId) => (await stores.registry.policies.current(operatorId)).body,
    }),
    clock,
    monotonicMs: () => performance.now(),
    newId,
    changes,
    issuer: issuerKeyOf(issuer.name, issuer.publicKey),
    repeats: createRepeats({ database, newId, clock }),
    pairings: createPairings(database, sealer),
    models: createModelImports(stores),
    catalog: stores.items,
    peers,
    hasServer: (origin) => addresses.isOwn(origin) || hasServer(origin),
    requests: {
      ...shared,
      pins: createTelephonePins(database, sealer, clock),
      putAccountNumber: (given) => putAccountNumber(database, sealer, given),
      operatorOf: operators.of,
      agentOf: () => config.portal.agent,
      voicePlatformAt: voicePlatformFinder(config.portal, operators),
    },
    settlement: {
      creditors: createCreditors(stores),
      payments: createPaymentDesk(stores),
      disputes: createDisputes(stores),
      statements: createStatements(database),
      collections: createCollections(stores),
      returns: createCollectionReturns(stores),
    },
    enrolments: createEnrolments(database, sealer, shared.people, newId),
    intake,
    jobs,
    approvals,
    policyReplays: policyReplays(database, jobs),
    policyComparisons: policyComparisons(stores, jobs),
    imports,
    equipmentLists,
    simLocks,
    orders: createOrderReader(database, sealer),
    overviews: createOverviews(database),
    orderDesk: createOrderDesk({
      ...stores,
      conductor: engine.conductor,
      onOrders: () => engine.wakeOrders(),
    }),
    confirmations: { accept: behind.witnesses.confirm },
    symptoms: { accept: behind.witnesses.symptomsSeen },
    ...knowledgeDeps(stores),
    ...reviewDeps(stores, behind.sourceView),
    ...messageDeps(behind),
    refusals: () => refusalsOf(machines.watch),
    readiness: readiness(behind),
    messageCentres: () =>
      engine.centres.all().map(({ label, downSinceMs }) => ({ name: label, bound: downSinceMs === null })),
  };
}

/** A SIM of which nothing but its number is known. */
const simUnseen = (imsi: string, homePlmn: string) => ({
  ...{ imsi, homePlmn, imei: "", msisdn: null, iccid: null, gid1: null, spn: null },
});

const knowledgeDeps = ({
  database,
  sealer,
  clock,
  termsOf,
  knowledge,
}: Opened["stores"]): Pick<HttpDeps, "devices" | "policyTests" | "settings"> => ({
  devices: {
    describe: async (operatorId, imei) => knowledge.describe(await termsOf(operatorId), imei, clock()),
    runsKeys: async (operatorId, make) => knowledge.runsKeys(operatorId, make),
  },
  policyTests: policyTestsOf({ knowledge, termsOf, clock }),
  settings: {
    find: async (operatorId, query) => knowledge.findSettings(query, await termsOf(operatorId)),
    suggest: async (operatorId, group) => knowledge.suggest(group, await termsOf(operatorId)),
    async tryOut(operatorId, sim, imei) {
      const subject =
        "imsi" in sim
          ? simUnseen(sim.imsi, knowledge.homePlmnOf(parseImsi(sim.imsi), operatorId) ?? sim.imsi.slice(0, 5))
          : await simSubject({ database, sealer }, operatorId, sim.subscriberId);
      const held = subject && (imei === undefined ? subject : { ...subject, imei });
      return held && knowledge.tryOut(held, await termsOf(operatorId), clock());
    },
  },
});

const messageDeps = ({
  stores,
  engine,
  spend,
  measures,
}: Behind): Pick<HttpDeps, "texts" | "pages" | "managed"> => ({
  texts: createTextDesk({
    ...stores,
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    courier: engine.courier,
    spend,
    nodeNumber: stores.presence.number,
    onMessages: () => engine.wakeMessages(),
  }),
  pages: createSettingsPages({
    ...stores,
    onOpened: (orderId, itemId) => engine.books.linkOpened({ orderId, itemId }),
    onDownloaded: ({ linkId: downloadOf, ...item }) => engine.books.linkOpened({ ...item, downloadOf }),
    onSaid: saidOf(stores),
    menusOf: stores.knowledge.menusOf,
    shownOf: shownOf(stores),
  }),
  managed: countManagedMessages(measures, managedDevices(stores, engine)),
});

const managedDevices = (stores: Opened["stores"], engine: Behind["engine"]) =>
  createManagedDevices({
    ...stores,
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    onShown: (shown) => engine.conductor.sessionsShowed([shown]),
    shownOf: shownOf(stores),
  });

/** What of settings that wait behind a link, or for a session, may go out now. */
const shownOf = (stores: Opened["stores"]): ShownOf =>
  createShownOf({
    isKeyWithheld: (order) =>
      isKeyWithheld({ store: stores.orders, judge: stores.knowledge.judge }, order, stores.clock()),
    maySendUnconfirmed: async (operatorId) => maySendUnconfirmed(await stores.termsOf(operatorId)),
  });

const readiness = ({ stores: { database }, engine: { centres } }: Behind): readonly ReadinessCheck[] => [
  { name: "database", check: async () => void (await database.rows("select 1")) },
  {
    name: "smsc",
    check: async () => {
      if (!centres.isAnyBound()) throw new Error("no message centre is bound");
    },
  },
];

async function openForDevices(
  deps: HttpDeps & Shared & Pick<PortalDeps, "gateways" | "displayOf" | "isShutOut">,
  { operators, place, teller, onRefused }: ForDevices,
  { config, onFault = () => undefined }: ServerOptions,
): Promise<DeviceDoors> {
  const portal: PortalDeps = {
    ...deps,
    pins: deps.requests.pins,
    operatorAt: operators.at,
    limits: config.portal,
    onShown: (seen) =>
      void deps.reader
        .noteScreen({ ...seen, channel: "screen" })
        .catch((error: unknown) => onFault("last screen not noted", error)),
    onFault,
  };
  return openDeviceDoors(portal, place, {
    onProved: (proxy) => teller.hasSpoken(proxy),
    onRefused,
    async enrolmentOf(token, proxy, { isKept }) {
      const operator = await operators.at({ proxy }); // a token of another operator's is none behind this one's proxies
      const hash = createHash("sha256").update(token).digest();
      return operator && deps.enrolments[isKept ? "look" : "spend"](operator.id, hash, deps.clock());
    },
  });
}

type ForDevices = {
  readonly operators: PortalOperators;
  readonly place: LandPlace | undefined;
  readonly teller: ProxyTeller;
  readonly onRefused: NonNullable<LandOptions["onRefused"]>;
};

/** Tells the URL, since a port of 0 takes any free one. */
async function listen(http: FastifyInstance, { http: { host, port } }: Config): Promise<string> {
  try {
    await http.listen({ host, port });
  } catch (cause) {
    const code = codeOf(cause) ?? "";
    if (!/^E(ADDR|ACCES)/.test(code)) throw cause;
    const why = code === "EADDRINUSE" ? "another program has it" : messageOf(cause);
    throw new TurnupError("http_port_unusable", `The API cannot listen at ${host} port ${port}: ${why}.`, {
      cause,
      nextStep: "Stop the other program, or choose a port: TURNUP_HTTP_PORT=8081, or 0 for any free one.",
    });
  }
  return urlOf("http", host, portOf(http.server));
}
