/**
 * What an order's history says of the handset's applications (US 11,109,201, figure 3:350, claims 10 and 13; R106, R129): of each
 * that anybody saw, how it was before the order provided the handset and how it was afterwards. Each side is what the last evidence on
 * that side said; where nobody saw anything, it was not seen. Before ends with the first proof that something of the order arrived.
 */
import { membersOf } from "../../term/narrow.ts";

/** `cut_off`: nobody saw it, and the data about the model says so. `reached`: its server saw it come with its key's proof. */
type ApplicationOutcome = "failed" | "cut_off" | "reached" | "works" | "not_seen";
/** One side of an application, and who says so; null where it was not told. */
type ApplicationSide = {
  readonly outcome: ApplicationOutcome;
  readonly server: string | null;
  readonly apn: string | null;
  /** Why it failed, in the network's word. */
  readonly cause: string | null;
  readonly source: string | null;
  /** RFC 3339. */
  readonly seenAt: string | null;
};

export type ApplicationView = {
  readonly application: string;
  readonly before: ApplicationSide;
  readonly after: ApplicationSide;
};

/** An event of the order. Times are RFC 3339. */
export type Told = {
  readonly kind: string;
  readonly state: string | null;
  readonly evidence: string | null;
  readonly detail: unknown;
  readonly at: string;
};
/** Something that was seen of an application, in the order in which it was booked. */
type Sight = ApplicationSide & { readonly application: string; readonly isBefore: boolean };

/** The handset's data session itself: traffic that names no application is evidence of it, and of nothing else. */
export const DATA_SESSION = "data";

const NOT_SEEN: ApplicationSide = {
  outcome: "not_seen",
  server: null,
  apn: null,
  cause: null,
  source: null,
  seenAt: null,
};
const PROVED: readonly (string | null)[] = ["opened", "works"];
/** Events that say something of an application, whatever their state. */
export const TELLING_KINDS: readonly string[] = ["judged", "symptom_seen", "application_works"];

/** Whether an event says something of an application, or where before ends. */
export const tellsOfApplications = ({ kind, state, evidence }: Omit<Told, "detail" | "at">): boolean =>
  TELLING_KINDS.includes(kind) ||
  (evidence !== null && (PROVED.includes(state) || evidence.startsWith("traffic:")));

/** When before ended; undefined where it has not. */
const provedAtIn = (events: readonly Told[]): string | undefined =>
  events.find(({ state, evidence }) => evidence !== null && PROVED.includes(state))?.at;

type Attempt = { readonly application: string; readonly server: string; readonly seenAt: Date };

/**
 * What an attempt that failed adds to a record. It is news where nothing failed with this server on its side of the proof: an
 * application that failed before and fails afterwards has failed twice. It is over where the application was seen to work with
 * this server later; the word of it was late.
 * @param events oldest first
 */
export function attemptIn(
  events: readonly Told[],
  { application, server, seenAt }: Attempt,
): { readonly isNews: boolean; readonly isOver: boolean } {
  const provedAt = provedAtIn(events);
  const of = events
    .flatMap((event) => sightsIn(event, provedAt))
    .filter((one) => one.application === application && (one.server ?? server) === server);
  const isOver = of.some((one) => one.outcome === "works" && isAtOrAfter(one.seenAt, seenAt));
  if (provedAt === undefined || seenAt.toISOString() < provedAt)
    return { isOver, isNews: !of.some(({ isBefore, outcome }) => isBefore && outcome === "failed") };
  const last = of.findLast(({ isBefore }) => !isBefore);
  return { isOver, isNews: !isOver && last?.outcome !== "failed" };
}

const isAtOrAfter = (time: string | null, other: Date): boolean =>
  time !== null && Date.parse(time) >= other.getTime();

/** By name. @param events oldest first */
export function applicationsOf(events: readonly Told[]): ApplicationView[] {
  const provedAt = provedAtIn(events);
  const sights = events.flatMap((event) => sightsIn(event, provedAt));
  // Every order has traffic: it is told of the data session where that was seen to fail.
  const isTold = ({ application, outcome }: Sight): boolean =>
    application !== DATA_SESSION || outcome === "failed";
  const names = [...new Set(sights.filter(isTold).map(({ application }) => application))].sort();
  return names.map((application) => {
    const of = sights.filter((one) => one.application === application);
    const before = of.findLast(({ isBefore }) => isBefore);
    const later = of.filter(({ isBefore }) => !isBefore);
    const last = later.at(-1);
    // A server that it could not reach before is what was to be mended; an attempt that failed since outweighs all.
    const mended = later.findLast(({ server }) => before !== undefined && server === before.server);
    const after = last?.outcome === "failed" ? last : (mended ?? last);
    return { application, before: sideOf(before), after: sideOf(after) };
  });
}

function sideOf(sight: Sight | undefined): ApplicationSide {
  if (!sight) return NOT_SEEN;
  const { application: _, isBefore: __, ...side } = sight;
  return side;
}

function sightsIn({ kind, state, evidence, detail, at }: Told, provedAt: string | undefined): Sight[] {
  const facts = membersOf(detail);
  if (kind === "judged") {
    const { cannotReach } = membersOf(facts.symptoms);
    if (!Array.isArray(cannotReach)) return [];
    // What the data says comes before what was seen: the last of a name counts.
    return cannotReach.toReversed().flatMap((one: unknown) => sightOf(membersOf(one), symptomOf(one), true));
  }
  if (kind === "symptom_seen") {
    const seenAt = textIn(facts.seenAt) ?? at;
    return sightOf(facts, "failed", provedAt === undefined || seenAt < provedAt);
  }
  if (kind === "application_works")
    return sightOf({ source: evidence, seenAt: at, ...facts }, "works", false);
  if (evidence?.startsWith("traffic:"))
    return sightOf({ source: evidence, seenAt: at, ...facts, application: DATA_SESSION }, "works", false);
  if (!evidence?.startsWith("arrival:") || !PROVED.includes(state)) return [];
  return sightOf({ source: evidence, seenAt: at, ...facts }, "reached", false);
}

const symptomOf = (one: unknown): ApplicationOutcome =>
  membersOf(one).from === "model_data" ? "cut_off" : "failed";

function sightOf(
  facts: Readonly<Record<string, unknown>>,
  outcome: ApplicationOutcome,
  isBefore: boolean,
): Sight[] {
  const application = textIn(facts.application);
  if (application === null) return [];
  const { server, apn, cause, source, seenAt } = facts;
  return [
    {
      application,
      isBefore,
      outcome,
      server: textIn(server),
      apn: textIn(apn),
      cause: textIn(cause),
      source: textIn(source),
      seenAt: textIn(seenAt),
    },
  ];
}

const textIn = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** `failed to reach mms.maker.example over oldhost.example: no_route (gateway)` */
export function sideWords({ outcome, server, apn, cause, source }: ApplicationSide): string {
  const where = `${server === null ? "" : ` ${server}`}${apn === null ? "" : ` over ${apn}`}`;
  const who = source === null ? "" : ` (${source})`;
  switch (outcome) {
    case "failed":
      return `failed${where && ` to reach${where}`}${cause === null ? "" : `: ${cause}`}${who}`;
    case "cut_off":
      return `cut off, by the data of its model${who}`;
    case "reached":
      return `reached${where || " its server"}${who}`;
    case "works":
      return `works${where && ` with${where}`}${who}`;
    case "not_seen":
      return "not seen";
  }
}
