/**
 * How the simulated world speaks to Turnup's HTTP API, as a network probe, a packet gateway and a manufacturer do: in
 * batches, with its own tokens, and again when nobody answered.
 */
import { Agent, request } from "node:http";
import type { ApplicationWorked } from "../../sim/core/application-worked.ts";
import type { FailedAttempt, UsageRecord } from "../../sim/core/packet-gateway.ts";
import { type AccountingClient, accountingClient } from "../../sim/core/radius-accounting.ts";
import type { FleetSighting, TypedPoint } from "../../sim/handset/fleet-state.ts";
import type { ManagedAnswer, ManagedPost } from "../../sim/handset/management/client.ts";
import { wordOf } from "../../term/narrow.ts";
import { decodeAppleProfile } from "../../wire/apple/profile.ts";
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
  openLink(url: string, make: string): Promise<readonly TypedPoint[]>;
  /** Carries a message of a phone's management client. */
  manage(post: ManagedPost): Promise<ManagedAnswer>;
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
    openLink: (url, make) => openLink(report, url, make),
    manage: (post) => manage(report, post),
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
    ? send(report.agent, "POST", `${report.address.url}${path}`, bearerOf(report.address[token]), body).catch(
        () => NOT_HEARD,
      )
    : NOT_HEARD;

const bearerOf = (token: string): Headers => ({ authorization: `Bearer ${token}` });

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

/** Status 0 where nobody answered. */
async function manage(
  { closed }: Reporting,
  { url, contentType, body, hmac }: ManagedPost,
): Promise<ManagedAnswer> {
  if (closed) return { status: 0, body: new Uint8Array(0) };
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": contentType, ...(hmac === undefined ? {} : { "x-syncml-hmac": hmac }) },
    body: Uint8Array.from(body),
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => undefined);
  if (!response) return { status: 0, body: new Uint8Array(0) };
  const mac = response.headers.get("x-syncml-hmac");
  return {
    status: response.status,
    body: new Uint8Array(await response.arrayBuffer()),
    ...(mac === null ? {} : { hmac: mac }),
  };
}

/** A subscriber whose page, or what the page leads to, does not come tries again, for a while. */
async function openLink(report: Reporting, url: string, make: string): Promise<readonly TypedPoint[]> {
  const browser = browserOf(make);
  for (let tries = 1; tries <= PAGE_TRIES && !report.closed; tries++) {
    const { status, text } = await pressButton(report.agent, url, browser).catch(() => NOT_HEARD);
    const points = status === 200 ? await pointsBehind(report.agent, { url, text, browser }) : undefined;
    if (points) return points;
    if (status >= 400 && status < 500 && status !== 429) return [];
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return [];
}

type Headers = Readonly<Record<string, string>>;

/** What the phone's own browser says of it. Phones of other makes open the link as a browser of any of them does. */
const browserOf = (make: string): Headers =>
  make === "Apple"
    ? {
        "user-agent":
          "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
      }
    : {};

/** As a person does: the page first, then the button on it. */
async function pressButton(agent: Agent, url: string, browser: Headers): Promise<Answer> {
  const cover = await send(agent, "GET", url, browser, undefined);
  const hasButton = cover.status === 200 && cover.text.includes('method="post"');
  return hasButton ? send(agent, "POST", url, browser, undefined) : cover;
}

type Opened = { readonly url: string; readonly text: string; readonly browser: Headers };

/**
 * A profile is installed, where the page has one; MMS, which it has no place for, and all else is typed in. Undefined where the
 * profile did not come: its server may be back soon.
 */
async function pointsBehind(agent: Agent, { url, text, browser }: Opened): Promise<TypedPoint[] | undefined> {
  const [, path] = /<a class="button lead" href="([^"]+\/profile)">/.exec(text) ?? [];
  const typed = pointsOn(text);
  if (path === undefined) return typed;
  const address = new URL(path, url).href;
  const profile = await send(agent, "GET", address, browser, undefined).catch(() => NOT_HEARD);
  if (profile.status === 0 || profile.status === 429 || profile.status >= 500) return undefined;
  if (profile.status !== 200) return typed;
  const { payloads } = decodeAppleProfile(new TextEncoder().encode(profile.text));
  const installed = payloads.flatMap((payload) =>
    payload.kind === "cellular"
      ? payload.apns.map(({ name }): TypedPoint => ({ apn: name, use: "internet" }))
      : [],
  );
  return [...installed, ...typed];
}

/** A list of the page: what its access point is for, and its values. */
const LIST = /<dl class="sheet" data-use="(\w+)">([\s\S]*?)<\/dl>/g;
const valueIn = (list: string, key: string): string | undefined =>
  new RegExp(`data-value="${key}">([^<]+)<`).exec(list)?.[1];
const USES: readonly TypedPoint["use"][] = ["internet", "mms", "wap", "maker"];
const pointsOn = (page: string): TypedPoint[] =>
  [...page.matchAll(LIST)].flatMap(([, name = "", list = ""]) => {
    const use = wordOf(USES, name);
    if (!use) return [];
    const apn = valueIn(list, "apn") ?? "";
    const mmsc = valueIn(list, "mmsc");
    const asMms = { apn, ...roadOf(list, "mmsProxy", "mmsPort"), ...(mmsc === undefined ? {} : { mmsc }) };
    if (use === "mms") return [{ ...asMms, use }];
    const first: TypedPoint = { apn, use, ...roadOf(list, "proxy", "port") };
    // One entry for both, where both go by one access point.
    return mmsc === undefined ? [first] : [first, { ...asMms, use: "mms" as const }];
  });

function roadOf(list: string, proxyKey: string, portKey: string): Pick<TypedPoint, "proxy" | "port"> {
  // A phone without a field for the port has it behind the proxy.
  const [proxy, behind] = valueIn(list, proxyKey)?.split(":") ?? [];
  const port = valueIn(list, portKey) ?? behind;
  return { ...(proxy === undefined ? {} : { proxy }), ...(port === undefined ? {} : { port: Number(port) }) };
}

type Answer = { readonly status: number; readonly text: string };
const NOT_HEARD: Answer = { status: 0, text: "" };

function send(
  agent: Agent,
  method: string,
  url: string,
  own: Headers,
  body: string | undefined,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      ...own,
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
