/** The roads that a phone's applications take: which server each is for, and which access point leads there by its own settings. */
import type { Socket } from "node:net";
import { type AccessPointEntry, routeTo } from "../../device/settings.ts";
import type { PipelineAnswer } from "../core/pipeline.ts";
import type { ApplicationName, Outcome } from "./application-state.ts";
import type { FleetState, Phone } from "./fleet-state.ts";

/** What an application asks of a server. */
type Asking = {
  readonly application: string;
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly contentType?: string;
  readonly body?: Uint8Array;
};
/** The answer of the server itself, or what the network said instead of it. */
export type Asked =
  | { readonly kind: "answered"; readonly apn: string; readonly answer: PipelineAnswer }
  | { readonly kind: "cut_off"; readonly apn: string | null };

/** It goes into a request line: whatever else a message names is not asked for. */
const URL_FORM = /^http:\/\/[A-Za-z0-9.-]{1,100}\/[\x21-\x7e]{0,200}$/;
const NO_ROAD: readonly number[] = [0, 502, 504];
const REOPENED = 2;

/** Asks over the access point that the phone's settings name for the host; a session that ended meanwhile is opened anew. */
export async function ask(fleet: FleetState, phone: Phone, asking: Asking): Promise<Asked> {
  if (!URL_FORM.test(asking.url)) return { kind: "cut_off", apn: null };
  const point = routeTo(phone.state.settings, new URL(asking.url).hostname, "mms");
  if (!point) return { kind: "cut_off", apn: null };
  const { apn, proxy: address, port = 80 } = point;
  const proxy = address === undefined ? undefined : `${address}:${port}`;
  for (let time = 0; time < REOPENED && !fleet.closed; time++) {
    const opened = sessionOn(fleet, phone, point);
    const session = await opened;
    if (session === undefined) break;
    const answer = await fleet.network.send({ ...asking, session, proxy });
    if (answer.status === 502 && answer.body.includes("no_session")) {
      if (phone.sessions.get(apn) === opened) phone.sessions.delete(apn); // else somebody opened another meanwhile
      continue;
    }
    return NO_ROAD.includes(answer.status) ? { kind: "cut_off", apn } : { kind: "answered", apn, answer };
  }
  return { kind: "cut_off", apn };
}

/** One session an access point, however many applications ask for it at once: opening it again would end the one before. */
function sessionOn(fleet: FleetState, phone: Phone, point: AccessPointEntry): Promise<string | undefined> {
  const standing = phone.sessions.get(point.apn);
  if (standing) return standing;
  const opened = fleet.network.open(phone.status.spec, point).then((outcome) => {
    if (outcome.kind === "open") return outcome.session;
    if (phone.sessions.get(point.apn) === opened) phone.sessions.delete(point.apn);
    return undefined;
  });
  phone.sessions.set(point.apn, opened);
  return opened;
}

/** A stream to a host over the access point that the phone's settings name for it; undefined where none leads there. */
export async function tunnel(
  fleet: FleetState,
  phone: Phone,
  { application, host, port }: { readonly application: string; readonly host: string; readonly port: number },
): Promise<Socket | undefined> {
  const point = routeTo(phone.state.settings, host, "internet");
  const session = point && (await sessionOn(fleet, phone, point));
  return session === undefined ? undefined : fleet.network.tunnel(session, application, `${host}:${port}`);
}

/** The server of its video calls: the one that a key names, else its operator's, else the manufacturer's of its factory settings. */
export function callServerOf(fleet: FleetState, phone: Phone): string | undefined {
  const ofKey = phone.state.settings.accessPoints.findLast(
    ({ origin, hosts }) => origin === "key" && hosts.length > 0,
  );
  const { callHostOf, makerHostOf } = fleet.options;
  return ofKey?.hosts[0] ?? callHostOf?.(phone.status.spec) ?? makerHostOf?.(phone.status.spec);
}

/** Where the phone's messages go: to the centre that a key names, else to that of its settings, else to its maker's. */
export function mmscOf(fleet: FleetState, phone: Phone): string | undefined {
  const newest = phone.state.settings.accessPoints.toReversed();
  const host = fleet.options.makerHostOf?.(phone.status.spec);
  return (
    newest.find(({ origin, mmsc }) => origin === "key" && mmsc !== undefined)?.mmsc ??
    newest.find(({ uses, mmsc }) => uses.includes("mms") && mmsc !== undefined)?.mmsc ??
    (host === undefined ? undefined : `http://${host}/m`)
  );
}

/** How an application fares now; what it was at the first try stays. */
export function note(
  fleet: FleetState,
  { status }: Phone,
  application: ApplicationName,
  {
    outcome,
    server,
    apn,
  }: { readonly outcome: Outcome; readonly server: string; readonly apn: string | null },
): void {
  const known = status.applications[application];
  const isAhead = outcome === "sent" && known?.now === "works" && known.server === server;
  const now = isAhead ? "works" : outcome;
  status.applications = {
    ...status.applications,
    [application]: { before: known?.before ?? now, now, server, apn },
  };
  fleet.onEvent({ kind: "application", phone: status, application, outcome: now, server, apn });
}
