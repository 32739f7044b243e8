// Question: how many whole phones a second does one server turn up, each step durable, and what does a phone cost?
// Budget: 1.33 ms of the server's and the database's processor a phone; 600/s with the world on the same two cores.
import { packageFolder } from "../src/store/dataset/folder.ts";
import { PER_SECOND, type PhoneRun, ROLES, runPhones } from "./phone-run.ts";
import {
  debianPostgres,
  freshDatabase,
  POSTGRES_MISSING,
  type PostgresServer,
  startDebianPostgres,
} from "./postgres.ts";
import { type Bench, type Figure, median, type Question } from "./question.ts";

/** So many that the runtime has compiled what it compiles before the half of them is done. */
export const PHONES = 9_000;
const QUICK_PHONES = 300;
const AIM_PER_SECOND = 600;
const AIM_CPU_MS = 1.33;

export const phonesQuestion: Question = {
  name: "phones",
  asks: "How many whole phones a second are turned up, from the first sighting to the last fee that was paid, and what does one cost?",
  how: [
    `\`turnup start --once --phones ${PHONES} --new-phones 0 --per-second ${PER_SECOND} --json\`: the product's own command with`,
    "its simulated message centre, handsets, core network, manufacturer and bank in a process beside it, over the real",
    "protocols. The time is from the first phone that attaches to the last row that was written (fee paid, portion",
    "settled); a run counts only when every phone was turned up and the books balance. Embedded: the shipped PostgreSQL with",
    "fsync on. By URL: Debian's server with its default settings on the loopback. The simulated world takes a core of its",
    "own: on two cores it is part of the rate. What a phone takes of the processor, user and system, is counted for each",
    "process, so that whatever else runs on the machine changes it little: it is the figure to compare. Rows are those of",
    "the database's own statistics, its log what it wrote in octets.",
  ].join(" "),
  durability: [
    "each step of an order is on disk (fsync on) before the next machine hears of it, money and idempotency keys in the deciding",
    "transaction. There is no peer.",
  ].join(" "),
  uses: ["PostgreSQL embedded", "PostgreSQL server"],
  measure,
};

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const wanted = { phones: bench.quick ? QUICK_PHONES : bench.phones, checkout: packageFolder() };
  const embedded: PhoneRun[] = [];
  const byUrl: PhoneRun[] = [];
  let server: PostgresServer | undefined;
  try {
    if (debianPostgres()) server = await startDebianPostgres();
    for (let run = 1; run <= bench.runs; run++) {
      bench.progress(`embedded: run ${run} of ${bench.runs}`);
      embedded.push(await runPhones(wanted));
      if (!server) continue;
      bench.progress(`PostgreSQL ${server.major} by URL: run ${run} of ${bench.runs}`);
      byUrl.push(await runPhones({ ...wanted, databaseUrl: await freshDatabase(server, `phones_${run}`) }));
    }
  } finally {
    await server?.close();
  }
  const fewer = bench.phones === PHONES ? "" : `, ${bench.phones} phones`;
  return [
    ...figuresOf(`embedded${fewer}`, embedded),
    ...(server
      ? figuresOf(`PostgreSQL ${server.major} by URL${fewer}`, byUrl)
      : [{ ...rate("server by URL", []), note: POSTGRES_MISSING }]),
  ];
}

const rate = (what: string, runs: readonly PhoneRun[]): Figure => ({
  what,
  unit: "phones/s",
  values: runs.map(({ perSecond }) => perSecond),
  peers: [],
  aim: { kind: "at least", value: AIM_PER_SECOND },
});

function figuresOf(what: string, runs: readonly PhoneRun[]): Figure[] {
  const cpu = runs.flatMap((run) => ownCpuMs(run) ?? []);
  const roles = ROLES.flatMap((role) => {
    const taken = runs.flatMap(({ cpuMs }) => cpuMs.get(role) ?? []);
    return taken.length > 0 ? [`${role} ${median(taken).toFixed(2)} ms`] : [];
  });
  const each = (of: (run: PhoneRun) => number): string => median(runs.map(of)).toFixed(1);
  const rows = [
    `${each(({ inserts, updates, deletes }) => inserts + updates + deletes)} rows written a phone`,
    `${each(({ inserts }) => inserts)} inserts`,
    `${each(({ updates }) => updates)} updates, ${each(({ hotUpdates }) => hotUpdates)} of them without an index`,
    `${each(({ walOctets }) => walOctets / 1_000)} kB of log`,
  ];
  return [
    rate(what, runs),
    {
      what: `${what}: CPU of server and database a phone`,
      unit: "ms",
      values: cpu,
      isSteady: true,
      peers: [],
      aim: { kind: "at most", value: AIM_CPU_MS },
      note: [...roles, ...rows].join(", "),
    },
  ];
}

/** Of the simulated world nothing: it is not the product's. */
export function ownCpuMs({ cpuMs }: PhoneRun): number | undefined {
  const [server, database] = [cpuMs.get("server"), cpuMs.get("PostgreSQL")];
  return server === undefined || database === undefined ? undefined : server + database;
}
