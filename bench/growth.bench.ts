// Question: what does the database grow by a phone, and does a server stay as fast with ten million known pairs and a million past orders,
// also while a backup is taken?
// Aim: 93% of the rate with ten thousand of each; 9 kB on the disk and 16 kB of log a phone; a backup costs a tenth of the rate at most.
import { randomBytes } from "node:crypto";
import { Writable } from "node:stream";
import pg from "pg";
import { writeBackup } from "../src/store/database/backup.ts";
import { openDatabase } from "../src/store/database/database.ts";
import { migrate, migrationFiles } from "../src/store/database/migrate.ts";
import { uuidv7 } from "../src/store/database/uuid.ts";
import { packageFolder } from "../src/store/dataset/folder.ts";
import { ensureOperator } from "../src/store/operator/operators.ts";
import { createSealer } from "../src/store/seal/seal.ts";
import { writeManyOrders } from "../test/fixture/many-orders.ts";
import { copyPairs } from "./copy-pairs.ts";
import { type PhoneRun, runPhones } from "./phone-run.ts";
import { ownCpuMs } from "./phones.bench.ts";
import { debianPostgres, POSTGRES_MISSING, type PostgresServer, startDebianPostgres } from "./postgres.ts";
import { type Bench, type Figure, median, type Question } from "./question.ts";

export const PAIRS = 10_000_000;
export const ORDERS = 1_000_000;
const QUICK_PAIRS = 100_000;
const QUICK_ORDERS = 20_000;
/** What it is compared with. */
const FEW = 10_000;
const QUICK_PHONES = 300;
const AIM_OF_RATE = 0.93;
const AIM_OF_BACKUP = 0.9;
const AIM_OCTETS = 9_000;
const AIM_LOG_OCTETS = 16_000;
/** Ten million rows and their indexes. */
const FILL_TIMEOUT_MS = 3_600_000;

export const growthQuestion: Question = {
  name: "growth",
  asks: "What does the database grow by a phone, and how fast is a server with many known pairs and past orders, also under a backup?",
  how: [
    `Databases of Debian's PostgreSQL are filled by COPY and by SQL: ${FEW.toLocaleString("en")} known pairs and as many orders that are over, half of many, and many`,
    `(--pairs ${PAIRS}, --orders ${ORDERS}; each order with its subscriber, handset, item, events, message, payload and link). Each run takes a copy of each, and`,
    "turns up the phones of the question `phones` on it; once more on a copy of the largest while a backup is taken over and over.",
    "Octets are what the database grew by, with indexes; log what it wrote; dead rows those that vacuum had not taken when the last phone was done.",
  ].join(" "),
  durability:
    "as of the question `phones`. There is no peer: the filled databases are compared with the one that holds little.",
  uses: ["PostgreSQL server"],
  measure,
};

type Fill = { readonly name: string; readonly pairs: number; readonly orders: number };
type Sizes = { readonly few: Fill; readonly half: Fill; readonly many: Fill };

async function measure(bench: Bench): Promise<readonly Figure[]> {
  if (debianPostgres() === undefined) throw new Error(POSTGRES_MISSING);
  const pairs = bench.quick ? QUICK_PAIRS : bench.pairs;
  const orders = bench.quick ? QUICK_ORDERS : bench.orders;
  const sizes: Sizes = {
    few: { name: "few", pairs: Math.min(FEW, pairs), orders: Math.min(FEW, orders) },
    half: { name: "half", pairs: Math.ceil(pairs / 2), orders: Math.ceil(orders / 2) },
    many: { name: "many", pairs, orders },
  };
  const sealKey = randomBytes(32).toString("hex");
  const server = await startDebianPostgres();
  try {
    for (const size of Object.values(sizes)) await fill(server, size, sealKey, bench);
    const runs = { few: [] as PhoneRun[], half: [] as PhoneRun[], many: [] as PhoneRun[] };
    const underBackup: PhoneRun[] = [];
    let backups = 0;
    const phones = bench.quick ? QUICK_PHONES : bench.phones;
    const wanted = { phones, checkout: packageFolder(), sealKey };
    for (let run = 1; run <= bench.runs; run++) {
      for (const size of ["few", "half", "many"] as const) {
        bench.progress(`${size}: run ${run} of ${bench.runs}`);
        runs[size].push(await onCopy(server, size, (databaseUrl) => runPhones({ ...wanted, databaseUrl })));
      }
      bench.progress(`many, under a backup: run ${run} of ${bench.runs}`);
      underBackup.push(
        await onCopy(server, "many", async (databaseUrl) => {
          const backup = backUp(databaseUrl);
          try {
            return await runPhones({ ...wanted, databaseUrl, onReady: backup.begin });
          } finally {
            backups += await backup.end();
          }
        }),
      );
    }
    return figuresOf(sizes, runs, { runs: underBackup, backups });
  } finally {
    await server.close();
  }
}

// ---- databases

async function fill(server: PostgresServer, size: Fill, sealKey: string, bench: Bench): Promise<void> {
  const { name, pairs, orders } = size;
  bench.progress(`filling ${name}: ${pairs} pairs, ${orders} orders`);
  const url = await createDatabase(server, name);
  const connection = { connectionString: url };
  const database = await openDatabase({ connection, statementTimeoutMs: FILL_TIMEOUT_MS });
  try {
    await migrate(database, migrationFiles());
    const operator = {
      id: uuidv7(),
      slug: "meridian",
      name: "Meridian",
      kind: "mvno" as const,
      homePlmns: ["001-01"],
    };
    const { id: operatorId } = await ensureOperator(database, operator); // that of the phones
    const sealer = createSealer(Buffer.from(sealKey, "hex"));
    await copyPairs({ database, sealer, connection }, pairs, operator.slug);
    await writeManyOrders(database, { operatorId, orders, isFast: true, areOver: true });
    await database.transaction((tx) => tx.run("analyze"), { statementTimeoutMs: FILL_TIMEOUT_MS });
  } finally {
    await database.close();
  }
  await inSession(server.url, (client) => client.query("checkpoint"));
}

const nameOf = (name: string): string => `growth_${name}`;
const urlOf = (server: PostgresServer, name: string): string => {
  const url = new URL(server.url);
  url.pathname = `/${nameOf(name)}`;
  return url.href;
};

async function createDatabase(server: PostgresServer, name: string, of?: string): Promise<string> {
  await inSession(server.url, (client) =>
    client.query(
      `create database ${nameOf(name)}${of === undefined ? "" : ` template ${nameOf(of)} strategy file_copy`}`,
    ),
  );
  return urlOf(server, name);
}

async function onCopy(
  server: PostgresServer,
  of: keyof Sizes,
  run: (url: string) => Promise<PhoneRun>,
): Promise<PhoneRun> {
  const url = await createDatabase(server, "copy", of);
  try {
    return await run(url);
  } finally {
    await inSession(server.url, (client) => client.query(`drop database ${nameOf("copy")} with (force)`));
  }
}

async function inSession<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client(url);
  client.on("error", () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** One after another from `begin` to `end`, which answers how many came to theirs; one that is under way is waited for. */
function backUp(connectionString: string) {
  let isWanted = false;
  let whole = 0;
  let failure: unknown;
  let working: Promise<void> | undefined;
  const nowhere = () => new Writable({ write: (_chunk, _encoding, done) => done() });
  const work = async (): Promise<void> => {
    while (isWanted) {
      await writeBackup({ connectionString }, nowhere(), new Date(), () => undefined);
      whole++;
    }
  };
  return {
    begin: (): void => {
      isWanted = true;
      working = work().catch((error: unknown) => {
        failure = error;
      });
    },
    end: async (): Promise<number> => {
      isWanted = false;
      await working;
      if (failure !== undefined) throw failure;
      return whole;
    },
  };
}

// ---- figures

function figuresOf(
  sizes: Sizes,
  runs: Readonly<Record<keyof Sizes, readonly PhoneRun[]>>,
  backup: { readonly runs: readonly PhoneRun[]; readonly backups: number },
): Figure[] {
  const words = ({ pairs, orders }: Fill): string =>
    `${pairs.toLocaleString("en")} pairs, ${orders.toLocaleString("en")} orders`;
  const rates = (of: readonly PhoneRun[]): number[] => of.map(({ perSecond }) => perSecond);
  const cpuOf = (of: readonly PhoneRun[]): number[] => of.flatMap((run) => ownCpuMs(run) ?? []);
  const each = (of: readonly PhoneRun[], what: (run: PhoneRun) => number): string =>
    median(of.map(what)).toFixed(2);
  const few = { name: words(sizes.few), values: rates(runs.few) };
  const fewCpu = { name: words(sizes.few), values: cpuOf(runs.few) };
  const dead = (of: readonly PhoneRun[]): string =>
    `${each(of, ({ deadRows }) => deadRows)} dead rows a phone`;
  return [
    ...(["half", "many"] as const).flatMap((size): Figure[] => [
      {
        what: `${words(sizes[size])}: rate`,
        unit: "phones/s",
        values: rates(runs[size]),
        peers: [few],
        ...(size === "many" && { aim: { kind: "times the peer", value: AIM_OF_RATE } as const }),
        note: dead(runs[size]),
      },
      {
        what: `${words(sizes[size])}: CPU of server and database a phone`,
        unit: "ms",
        values: cpuOf(runs[size]),
        isSteady: true,
        peers: [fewCpu],
      },
    ]),
    {
      what: `${words(sizes.many)}, under a backup: rate`,
      unit: "phones/s",
      values: rates(backup.runs),
      peers: [{ name: "without one", values: rates(runs.many) }],
      aim: { kind: "times the peer", value: AIM_OF_BACKUP },
      note: `${backup.backups} backups came to their end; ${dead(backup.runs)}, without a backup ${dead(runs.many)}`,
    },
    {
      what: "octets a phone on the disk, with indexes",
      unit: "octets",
      values: runs.many.map(({ octets }) => octets),
      isSteady: true,
      peers: [{ name: words(sizes.few), values: runs.few.map(({ octets }) => octets) }],
      aim: { kind: "at most", value: AIM_OCTETS },
    },
    {
      what: "octets of log a phone",
      unit: "octets",
      values: runs.many.map(({ walOctets }) => walOctets),
      isSteady: true,
      peers: [{ name: words(sizes.few), values: runs.few.map(({ walOctets }) => walOctets) }],
      aim: { kind: "at most", value: AIM_LOG_OCTETS },
      note: "the log holds whole pages after each checkpoint: a database that was filled just now writes more of them",
    },
  ];
}
