// Question: how long does each list of orders take at a million orders, over HTTP?
// Budget: 300 ms for the slowest pair of sort and filter that is offered; the total by statistics within the same.
import { setTimeout as sleep } from "node:timers/promises";
import { ORDER_SORTS, type OrderFilter } from "../src/kernel/order/order-list.ts";
import { offeredFilters } from "../test/fixture/listed-orders.ts";
import { type CpuWatch, watchCpu } from "./cpu.ts";
import { type Bench, type Figure, median, type Question } from "./question.ts";
import { startSink } from "./smpp-sink.ts";
import { startTurnup, type TurnupProcess } from "./turnup-process.ts";

const ORDERS = 1_000_000;
const QUICK_ORDERS = 50_000;
const AIM_MS = 300;
/** The slowest of all lists, each read once, are read again so often; the median counts. */
const AGAIN = 12;
const READINGS = 3;
const TOLD = 5;
const DAY_MS = 86_400_000;
/** Vacuum and its statistics have settled. */
const SETTLE_MS = 2_000;

export const listsQuestion: Question = {
  name: "lists",
  asks: "How long does a list of orders take at a million orders, by each sort with each filter that is offered?",
  how: [
    `${ORDERS.toLocaleString("en")} orders of a year, as unevenly spread as they are (few makes have most handsets, one state in a thousand, a model of five), are`,
    "written into the embedded database. Each sort is asked for alone, with each filter by a common, a rare and an absent value, and with each two",
    "filters, both ways: the first page of 100 and the one after it, over HTTP, one at a time. The slowest are read three times more, and the median",
    "counts. CPU is of server and database a list.",
  ].join(" "),
  durability: "nothing is written. There is no peer.",
  uses: ["PostgreSQL embedded"],
  measure,
};

type List = { readonly what: string; readonly url: string };
/** CPU of server and database. */
type Reading = List & { readonly ms: number; readonly cpuMs: number };

async function measure(bench: Bench): Promise<readonly Figure[]> {
  const sink = await startSink();
  let turnup: TurnupProcess | undefined;
  try {
    turnup = await startTurnup({ smscPort: sink.port });
    const orders = bench.quick ? QUICK_ORDERS : ORDERS;
    bench.progress(`writing ${orders} orders`);
    await turnup.listedOrders(orders, bench.progress);
    await sleep(SETTLE_MS);
    const [pairs, exact, estimates]: [Reading[][], Reading[][], Reading[][]] = [[], [], []];
    let count = 0;
    for (let run = 1; run <= bench.runs; run++) {
      bench.progress(`run ${run} of ${bench.runs}`);
      const once = await readPairs(turnup, bench.progress);
      count = once.length;
      const slowest = once.toSorted((one, other) => other.ms - one.ms).slice(0, AGAIN);
      pairs.push(await eachAgain(turnup, slowest));
      exact.push(await eachAgain(turnup, [listOf(turnup, { total: "exact", limit: 1 })]));
      estimates.push(await eachAgain(turnup, [listOf(turnup, { total: "estimate", limit: 1 })]));
    }
    return [
      ...slowestOf(`the slowest of ${count} lists`, pairs),
      ...slowestOf("total by statistics", estimates),
      ...slowestOf("total counted", exact),
    ];
  } finally {
    await turnup?.close();
    sink.close();
  }
}

/** How long the slowest took, and what it took of processor. */
function slowestOf(what: string, runs: readonly (readonly Reading[])[]): Figure[] {
  const slowest = runs.map((readings) => readings.toSorted((one, other) => other.ms - one.ms));
  const told = (slowest[0] ?? []).slice(0, TOLD);
  const aim = { kind: "at most", value: AIM_MS } as const;
  return [
    {
      what,
      unit: "ms",
      values: slowest.map(([first]) => first?.ms ?? Number.NaN),
      peers: [],
      aim,
      note: told.map((one) => `${one.what} ${one.ms.toFixed(0)} ms`).join(", "),
    },
    {
      what: `${what}: CPU`,
      unit: "ms",
      values: runs.map((readings) => Math.max(...readings.map(({ cpuMs }) => cpuMs))),
      isSteady: true,
      peers: [],
      aim,
    },
  ];
}

async function eachAgain(turnup: TurnupProcess, lists: readonly List[]): Promise<Reading[]> {
  const again: Reading[] = [];
  for (const { what, url } of lists) {
    const readings: Reading[] = [];
    for (let reading = 0; reading < READINGS; reading++)
      readings.push((await read(turnup, { what, url }, watchCpu())).reading);
    again.push({
      ...{ what, url },
      ms: median(readings.map(({ ms }) => ms)),
      cpuMs: median(readings.map(({ cpuMs }) => cpuMs)),
    });
  }
  return again;
}

async function readPairs(turnup: TurnupProcess, progress: Bench["progress"]): Promise<Reading[]> {
  const readings: Reading[] = [];
  const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
  const times: OrderFilter = {
    createdFrom: ago(30),
    createdTo: ago(7),
    updatedFrom: ago(30),
    updatedTo: ago(7),
    deadlineFrom: ago(30),
    deadlineTo: ago(7),
  };
  for (const sort of ORDER_SORTS) {
    progress(`by ${sort}`);
    for (const filter of offeredFilters(sort, times))
      for (const order of ["asc", "desc"] as const) {
        const query = { sort, order, ...filter };
        const { reading, nextCursor } = await read(turnup, listOf(turnup, query));
        readings.push(reading);
        if (nextCursor !== null)
          readings.push((await read(turnup, listOf(turnup, { ...query, cursor: nextCursor }))).reading);
      }
  }
  return readings;
}

function listOf(
  { host, port }: TurnupProcess,
  query: Readonly<Record<string, string | number | undefined>>,
): List {
  const given = Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)]));
  const url = `http://${host}:${port}/v1/orders?${new URLSearchParams(given)}`;
  const { cursor, ...list } = query;
  const words = Object.entries(list).map(([name, value]) => `${name}=${value}`);
  return { url, what: [...words, ...(cursor === undefined ? [] : ["page 2"])].join(" ") };
}

type Read = { readonly reading: Reading; readonly nextCursor: string | null };

async function read({ pid, tokens }: TurnupProcess, list: List, watch?: CpuWatch): Promise<Read> {
  watch?.start();
  const began = performance.now();
  const answer = await fetch(list.url, { headers: { authorization: `Bearer ${tokens[0]}` } });
  const body = (await answer.json()) as { readonly nextCursor: string | null };
  const ms = performance.now() - began;
  const taken = watch?.stop() ?? [];
  if (!answer.ok) throw new Error(`${list.url}: ${JSON.stringify(body)}`);
  const ours = new Set([pid]);
  for (const one of taken.toSorted((a, b) => a.pid - b.pid)) if (ours.has(one.parent)) ours.add(one.pid);
  const cpuMs = taken.filter((one) => ours.has(one.pid)).reduce((sum, one) => sum + one.ms, 0);
  return { reading: { ...list, ms, cpuMs }, nextCursor: body.nextCursor };
}
