/**
 * How the simulated world speaks to Turnup's HTTP API, as a network probe, a packet gateway and a manufacturer do: in
 * batches, with its own tokens, and again when nobody answered.
 */
import { Agent, request } from "node:http";
import type { ApplicationWorked } from "../../sim/core/application-worked.ts";
import type { FailedAttempt, UsageRecord } from "../../sim/core/packet-gateway.ts";
import { type AccountingClient, accountingClient } from "../../sim/core/radius-accounting.ts";
import type { FleetSighting, TypedPoint } from "../../sim/handset/fleet-state.ts";
import { type Arrival, writeArrivals } from "../../wire/message/maker-api.ts";
import type { TurnupAddress } from "./world-options.ts";

const MAX_BATCH = 500;
const FLUSH_MS = 10;
const RETRY_MS = 200;
const TIMEOUT_MS = 10_000;
const PAGE_TRIES = 1_500;
/** A probe keeps what it could not tell. */
const MAX_WAITING = 200_000;

export type Reporter = {
  connect(turnup: TurnupAddress): void;
  sighting(sighting: FleetSighting): void;
  traffic(batch: readonly UsageRecord[]): Promise<void>;
  /** What a probe saw of applications that could not reach their server. */
  failedAttempts(batch: readonly FailedAttempt[]): Promise<void>;
  /** What servers of the network swear to: applications that did their work. */
  worked(batch: readonly ApplicationWorked[]): Promise<void>;
  arrivals(batch: readonly Arrival[]): Promise<void>;
  /** The access points that the page behind a link names. */
  openLink(url: string): Promise<readonly TypedPoint[]>;
  /** The world ends: what is still told is tried once, since a server that is gone hears of it no more. */
  end(): void;
  close(): Promise<void>;
};

type Reporting = {
  readonly agent: Agent;
  accounting: AccountingClient | undefined;
  /** Seen, and not yet told. */
  readonly waiting: FleetSighting[];
  address: TurnupAddress | undefined;
  timer: NodeJS.Timeout | undefined;
  ending: boolean;
  closed: boolean;
  sending: Promise<void>;
};

export function reporter(): Reporter {
  const report: Reporting = {
    agent: new Agent({ keepAlive: true, maxSockets: 8 }),
    accounting: undefined,
    waiting: [],
    address: undefined,
    timer: undefined,
    ending: false,
    closed: false,
    sending: Promise.resolve(),
  };

  return {
    connect(turnup) {
      report.address = turnup;
      if (turnup.radius) report.accounting ??= accountingClient(turnup.radius);
    },
    sighting(sighting) {
      if (report.waiting.length < MAX_WAITING) report.waiting.push(sighting);
      report.timer ??= setTimeout(() => {
        report.sending = report.sending.then(() => flush(report));
      }, FLUSH_MS);
    },
    traffic: (batch) => report.accounting?.tell(batch) ?? trafficByApi(report, batch),
    failedAttempts: (batch) =>
      post(
        report,
        "/v1/symptoms",
        "probeToken",
        JSON.stringify({
          symptoms: batch.map(({ host, at, ...one }) => ({
            ...one,
            server: host,
            seenAt: at.toISOString(),
            source: "gateway",
          })),
        }),
      ),
    worked: (batch) =>
      post(
        report,
        "/v1/confirmations",
        "probeToken",
        JSON.stringify({
          confirmations: batch.map(({ imsi, apn, application, server, at }) => ({
            imsi,
            apn,
            application,
            server,
            seenAt: at.toISOString(),
            source: "application_server",
          })),
        }),
      ),
    arrivals: (batch) => post(report, "/v1/arrivals", "makerToken", writeArrivals(batch)),
    openLink: (url) => openLink(report, url),
    end() {
      report.ending = true;
      report.accounting?.close(); // who has not been told by now hears of it no more
    },
    async close() {
      report.closed = true;
      clearTimeout(report.timer);
      await report.sending.catch(() => undefined);
      report.agent.destroy();
    },
  };
}

const trafficByApi = (report: Reporting, batch: readonly UsageRecord[]): Promise<void> =>
  post(
    report,
    "/v1/confirmations",
    "probeToken",
    JSON.stringify({
      confirmations: batch.map(({ imsi, apn, at }) => ({
        imsi,
        apn,
        seenAt: at.toISOString(),
        source: "gateway",
      })),
    }),
  );

type TokenName = "probeToken" | "makerToken";

async function post(report: Reporting, path: string, token: TokenName, body: string): Promise<void> {
  while (!report.closed) {
    const { status, text } = await tell(report, path, token, body);
    if (status >= 200 && status < 300) return;
    if (status >= 400 && status < 500 && status !== 429)
      throw new Error(`${path} answered ${status}: ${text}`);
    if (report.ending) return;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS)); // down or busy: a probe tries until it is heard
  }
}

/** Its token is known as late as its address: what waited for the one has the other. */
const tell = async (report: Reporting, path: string, token: TokenName, body: string): Promise<Answer> =>
  report.address
    ? send(report.agent, "POST", `${report.address.url}${path}`, report.address[token], body).catch(
        () => NOT_HEARD,
      )
    : NOT_HEARD;

async function flush(report: Reporting): Promise<void> {
  report.timer = undefined;
  while (report.waiting.length > 0 && !report.closed) {
    const batch = report.waiting.splice(0, MAX_BATCH);
    const rows = batch.map(({ seenAt, source: _, ...row }) => ({ ...row, seenAt: seenAt.toISOString() }));
    await post(
      report,
      "/v1/sightings?summary=true",
      "probeToken",
      JSON.stringify({ source: "simulator", sightings: rows }),
    );
  }
}

/** A subscriber whose page does not come tries again, for a while. */
async function openLink(report: Reporting, url: string): Promise<readonly TypedPoint[]> {
  for (let tries = 1; tries <= PAGE_TRIES && !report.closed; tries++) {
    const { status, text } = await pressButton(report.agent, url).catch(() => NOT_HEARD);
    if (status === 200) return pointsOn(text);
    if (status >= 400 && status < 500 && status !== 429) return [];
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return [];
}

/** As a person does: the page first, then the button on it. */
async function pressButton(agent: Agent, url: string): Promise<Answer> {
  const cover = await send(agent, "GET", url, "", undefined);
  const hasButton = cover.status === 200 && cover.text.includes('<form method="post">');
  return hasButton ? send(agent, "POST", url, "", undefined) : cover;
}

/** A step of the page: what the access point is for, and its table; and a row of it. */
const STEP = /access point for <b>([^<]+)<\/b>([\s\S]*?)<\/table>/g;
const valueIn = (table: string, label: string): string | undefined =>
  new RegExp(`<td>${label}(?:<[^>]*>)*([^<]+)<`).exec(table)?.[1];
const useOf = (title: string): TypedPoint["use"] =>
  title.includes("MMS") ? "mms" : title === "WAP" ? "wap" : title === "Internet" ? "internet" : "maker";
const pointsOn = (page: string): TypedPoint[] =>
  [...page.matchAll(STEP)].map(([, title = "", table = ""]) => {
    const mmsc = valueIn(table, "Message centre \\(MMSC\\)");
    const proxy = valueIn(table, "(?:MMS proxy|Proxy)");
    const port = valueIn(table, "(?:MMS port|Port)");
    return {
      apn: valueIn(table, "Access point name \\(APN\\)") ?? "",
      use: useOf(title),
      ...(mmsc === undefined ? {} : { mmsc }),
      ...(proxy === undefined ? {} : { proxy }),
      ...(port === undefined ? {} : { port: Number(port) }),
    };
  });

type Answer = { readonly status: number; readonly text: string };
const NOT_HEARD: Answer = { status: 0, text: "" };

function send(
  agent: Agent,
  method: string,
  url: string,
  token: string,
  body: string | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
    };
    const outgoing = request(url, { method, agent, headers, timeout: TIMEOUT_MS }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("end", () =>
        resolve({ status: incoming.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }),
      );
      incoming.on("error", reject);
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer within ${TIMEOUT_MS} ms`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
