/** The work of a server behind its doors: what is seen becomes orders, and the engine carries them out; measured and watched. */
import { Registry as MeasureRegistry } from "prom-client";
import type { EquipmentLists } from "../../kernel/equipment/equipment-lists.ts";
import { CALL_KINDS } from "../../kernel/order/outbound-call.ts";
import { createImports } from "../../store/dataset/imports.ts";
import { createEquipmentLists } from "../../store/equipment/equipment-lists.ts";
import { askListImport } from "../../store/equipment/list-import.ts";
import { createSimLocks } from "../../store/equipment/sim-locks.ts";
import { createApprovals } from "../../store/jobs/approvals.ts";
import { APPROVAL_NEWS } from "../../store/jobs/ask-approval.ts";
import { createJobs, JOB_NEWS } from "../../store/jobs/jobs.ts";
import { listOperators } from "../../store/operator/operators.ts";
import { readBacklog } from "../../store/orders/backlog.ts";
import { createSmsSpend } from "../../store/orders/sms-spend.ts";
import { createCollectionReturns } from "../../store/settlement/collection-returns.ts";
import { createDisputes } from "../../store/settlement/disputes.ts";
import { createPaymentDesk } from "../../store/settlement/payment-desk.ts";
import { returnsAsking } from "../../store/settlement/returns-asking.ts";
import { createIntake } from "../../store/sightings/intake.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";
import type { Addresses } from "./addresses.ts";
import { createAppletReports } from "./applet-reports.ts";
import { askReturns } from "./ask-returns.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { doubtDevices } from "./doubt-devices.ts";
import { type Engine, type EngineOptions, startEngine } from "./engine.ts";
import { keepGrowth } from "./growth.ts";
import { approvalKinds, jobKinds } from "./job-kinds.ts";
import { keepEvents } from "./keep-events.ts";
import { keepSources } from "./keep-sources.ts";
import { keepPairs } from "./known-pairs.ts";
import { keepUse, learnFromOrders, learningFrom, measureUse } from "./learn-use.ts";
import { startLoop } from "./loop.ts";
import { observeMachines } from "./machine-measures.ts";
import { machineAt } from "./machine-watch.ts";
import { countManagedResults } from "./managed-measures.ts";
import { countEnds, observe } from "./measures.ts";
import type { Machines } from "./open-machines.ts";
import type { Stores } from "./open-stores.ts";
import { runJobs } from "./run-jobs.ts";
import type { ServerOptions } from "./server-options.ts";
import { smscsOptions } from "./smsc-options.ts";
import { watchSession } from "./watched-session.ts";

/** Disputes whose time is over: days do not pass faster than this. */
const DISPUTE_POLL_MS = 2_000;
const DISPUTE_BATCH = 100;
/** Whether it is time to ask for returns is looked at this often. */
const RETURNS_LOOK_MS = 2_000;
/** What was imported is looked for this often while no word of it might be heard. */
const IMPORT_POLL_MS = 500;

/** What is open already when the work begins. */
export type Opened = {
  readonly stores: Stores;
  readonly machines: Machines;
  readonly addresses: Addresses;
};
export type Work = ReturnType<typeof startWork>;

/** @throws TurnupError `config_invalid`: a pattern of the applet's reports that is none */
export function startWork(closing: ClosingStack, opened: Opened, options: ServerOptions) {
  const { stores, machines, addresses } = opened;
  const { config, onFault = () => undefined } = options;
  const measures = new MeasureRegistry();
  const countEnded = countEnds(measures);
  const countManaged = countManagedResults(measures);
  const spend = createSmsSpend(stores.database, stores.clock);
  const sources = keepSources(closing, stores, {
    ...{ measures, onFault, onCame: (operatorId, deviceId) => doubting.came(operatorId, deviceId) },
  });
  const unwatched = createIntake({ ...stores, onOrders: () => engine.wakeOrders() });
  const intake = sources.watched(unwatched);
  // Before the engine, so that it ends behind it: applets report through the message centre to the last.
  keepPairs(closing, stores, unwatched, { measures, onFault });
  const engine: Engine = startEngine({
    ...stores,
    ...machines,
    store: stores.orders,
    smscs: smscsOptions(config),
    operatorIdOf: operatorIds(stores.database),
    spend,
    judge: stores.knowledge.judge,
    countryOf: stores.knowledge.countryOf,
    lackOf: stores.knowledge.lackOf,
    chooseSettings: stores.knowledge.chooseSettings,
    ownIssuer: stores.issuer,
    catalog: stores.items,
    linkUrl: (token) => `${addresses.publicUrl}/s/${token}`,
    managementUrl: (token) => `${addresses.publicUrl}/dm/${token}`,
    requestUrl: (reference) => `${addresses.publicUrl}${DEVICE_PATHS.order(reference)}`,
    offerUrl: (token) => `${addresses.publicUrl}/d/offers/${token}`,
    landName: () => addresses.landName(),
    messageBatch: config.delivery.batch,
    applet: createAppletReports({ ...stores, intake, heardOfDevice: stores.deviceStatements.note }, config),
    onChanges(changes) {
      countEnded(changes);
      countManaged(changes);
      learnFromOrders(changes, stores.accessPointUse);
      options.onChanges?.(changes);
    },
    onFault,
  });
  closing.defer(() => engine.stop());
  measure(measures, engine, opened);
  hearOfImports(closing, engine, stores, onFault);
  lapseDisputes(closing, stores, onFault);
  lapsePaymentFiles(closing, stores, onFault);
  hearOfReturns(closing, opened, options);
  keepGrowth(closing, stores, { measures, onFault });
  keepEvents(closing, stores, { measures, keptDays: config.events.keptDays, onFault });
  keepUse(closing, stores.accessPointUse, onFault);
  measureUse(measures, stores.accessPointUse);
  const doubting = doubtDevices(closing, stores, { measures, onFault });
  const witnesses = learningFrom(engine.conductor, stores.accessPointUse, stores.clock);
  return {
    intake,
    engine,
    spend,
    measures,
    witnesses,
    sourceView: sources.counts,
    ...openJobs(closing, stores, { measures, onFault, config }),
  };
}

/** What takes longer than a request, and what waits for a person. */
function openJobs(
  closing: ClosingStack,
  stores: Stores,
  {
    measures,
    onFault,
    config,
  }: Required<Pick<ServerOptions, "config" | "onFault">> & { readonly measures: MeasureRegistry },
) {
  const kinds = jobKinds(stores);
  const jobs = createJobs({ ...stores, kinds });
  const approvals = createApprovals({ ...stores, onFault, kinds: approvalKinds(stores, jobs) });
  const nodeNumber = stores.presence.number;
  const keptDays = config.jobs.keptDays;
  runJobs(closing, { ...stores, kinds, approvals, nodeNumber, measures, onFault, keptDays });
  const imports = createImports({ ...stores, jobs });
  const equipmentLists: EquipmentLists = {
    ...createEquipmentLists(stores),
    bring: (operatorId, listId, file, asked, by) =>
      askListImport({ ...stores, jobs }, operatorId, listId, { file, asked, by }),
  };
  return { jobs, approvals, imports, equipmentLists, simLocks: createSimLocks(stores) };
}

/** By short name; each is looked up until it is there, since it stays what it is. */
function operatorIds(database: Stores["database"]): EngineOptions["operatorIdOf"] {
  const known = new Map<string, string>();
  return async (slug) => {
    if (!known.has(slug)) for (const one of await listOperators(database)) known.set(one.slug, one.id);
    return known.get(slug);
  };
}

function measure(
  measures: MeasureRegistry,
  engine: Engine,
  { stores: { database, clock, nowMs }, machines }: Opened,
): void {
  engine.centres.onOpened((centre) =>
    watchSession(centre.session, machines.watch, () => {
      const { host, port, systemId } = centre.options;
      return machineAt("smsc", `smpp://${encodeURIComponent(systemId)}@${host}:${port}`);
    }),
  );
  observeMachines(measures, machines.watch, nowMs);
  observe(measures, {
    centres: engine.centres.all,
    backlog: () => readBacklog(database, CALL_KINDS, clock()),
    nowMs,
  });
}

/** Pairs, jobs and approvals: no order waits for them. */
const isNoWordOfOrders = (kind: string): boolean => ["pair", JOB_NEWS, APPROVAL_NEWS].includes(kind);

/** What an operator imports counts at once, on this server and on all others. */
function hearOfImports(
  closing: ClosingStack,
  engine: Engine,
  { changes, ownDevices }: Stores,
  onFault: EngineOptions["onFault"],
): void {
  const imports = startLoop({
    name: "imports",
    pauseMs: IMPORT_POLL_MS,
    pass: async () => {
      if (!changes.isHeard()) await ownDevices.refresh();
      return false;
    },
    onFailure: onFault,
  });
  closing.defer(() => imports.stop());
  changes.onChange((news) => {
    if (news === "everything" || news.kind === "datasets")
      ownDevices.refresh().catch((error: unknown) => onFault("imports", error));
    if (news === "everything" || !isNoWordOfOrders(news.kind)) engine.wakeOrders(); // some may have waited for it
  });
}

/** Books do not stand open for ever: a line that nobody decided about is kept. */
function lapseDisputes(closing: ClosingStack, stores: Stores, onFault: EngineOptions["onFault"]): void {
  const disputes = createDisputes(stores);
  const loop = startLoop({
    name: "disputes",
    pauseMs: DISPUTE_POLL_MS,
    pass: async () => (await disputes.lapse(stores.clock(), DISPUTE_BATCH)) === DISPUTE_BATCH,
    onFailure: onFault,
  });
  closing.defer(() => loop.stop());
}

/** Nor do payment files wait for their second person for ever. */
function lapsePaymentFiles(closing: ClosingStack, stores: Stores, onFault: EngineOptions["onFault"]): void {
  const payments = createPaymentDesk(stores);
  const loop = startLoop({
    name: "payment_files",
    pauseMs: DISPUTE_POLL_MS,
    pass: async () => (await payments.lapse(stores.clock(), DISPUTE_BATCH)) === DISPUTE_BATCH,
    onFailure: onFault,
  });
  closing.defer(() => loop.stop());
}

/** What was taken from subscribers and came back, as the payment provider tells it. */
function hearOfReturns(closing: ClosingStack, { stores, machines }: Opened, options: ServerOptions): void {
  const pollMs = options.config.payment.returnsPollMs;
  const deps = {
    returns: createCollectionReturns(stores),
    asking: returnsAsking(stores.database),
    portOf: (operatorId: string) => machines.connectors.paymentProviderOf?.(operatorId)?.returns,
    clock: stores.clock,
    pollMs,
  };
  const loop = startLoop({
    name: "collection_returns",
    pauseMs: Math.min(pollMs, RETURNS_LOOK_MS),
    pass: () => askReturns(deps),
    onFailure: options.onFault ?? (() => undefined),
  });
  closing.defer(() => loop.stop());
}
