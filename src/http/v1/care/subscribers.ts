/**
 * E-CARE (US 6,647,260, column 5; R23): where a subscriber stands in the flow, for whoever they call; it needs nothing
 * provisioned, a SIM that the network has seen is enough. And a new link to their portal, where the last one got lost.
 */
import Type from "typebox";
import { subscriberNotFound } from "../../../kernel/account/erasure.ts";
import type { Caller, Role } from "../../../kernel/account/role.ts";
import { DOUBT_KINDS } from "../../../kernel/detection/doubts.ts";
import { SIGHTING_SOURCES } from "../../../kernel/detection/sighting.ts";
import { ORDER_STATES, SPINE_CAUSES } from "../../../kernel/order/order.ts";
import type { Standing } from "../../../kernel/requested/request-reader.ts";
import { TurnupError } from "../../../term/error.ts";
import { tooMany } from "../../auth.ts";
import type { HttpDeps } from "../../ports.ts";
import { accepted, ok, route } from "../../route.ts";
import { id, instant, instantOrNull, named, textOrNull, words } from "../../schema.ts";
import { sendLink } from "../../sign-in-link.ts";
import { Offer } from "../offers.ts";
import { Status, statusBody } from "../requests/schema.ts";
import { SightingConflictOut } from "../sightings/conflicts.ts";
import { subscriberNamed, subscriberNumber } from "../subscribers/number.ts";
import { Provisioned } from "../subscribers/services.ts";

const CARE: readonly Role[] = ["care", "engineer", "admin"];
const LINK_RETRY_SECONDS = 600;
const LANGUAGE_DEFAULT = "en";

const Device = Type.Object({
  deviceId: Type.String(),
  imeiMasked: Type.String(),
  tac: Type.String(),
  make: textOrNull(),
  model: textOrNull(),
  firstSeenAt: instant(),
  lastSeenAt: instant(),
  isCurrent: Type.Boolean(),
  cameBy: Type.Unsafe<string | null>({
    type: ["string", "null"],
    enum: [...SIGHTING_SOURCES, null],
    description:
      "Who saw the SIM come into it last. Only `radius` tells of every session: of others nothing follows from their silence (`silenceProves` of `GET /v1/sources`).",
  }),
  doubts: Type.Array(
    Type.Object({
      id: Type.String(),
      kind: words(DOUBT_KINDS),
      reason: Type.String(),
      foundAt: instant(),
    }),
    {
      description:
        "Why it may not be what its IMEI says: a false one, one that two handsets bear, one that many bear.",
    },
  ),
});
const SpineOrder = Type.Object({
  id: Type.String(),
  cause: words(SPINE_CAUSES),
  state: words(ORDER_STATES),
  reason: Type.String(),
  nextAction: Type.String(),
  deadlineAt: instantOrNull(),
  createdAt: instant(),
});
const nullable = <Value>(properties: Readonly<Record<string, object>>, description: string) =>
  Type.Unsafe<Value | null>({
    type: ["object", "null"],
    properties,
    required: Object.keys(properties),
    description,
  });

const SubscriberStanding = named(
  "SubscriberStanding",
  Type.Object({
    subscriberId: Type.String(),
    imsiMasked: Type.String(),
    msisdnMasked: textOrNull(),
    homePlmn: Type.String(),
    account: nullable<NonNullable<Standing["account"]>>(
      {
        state: { type: "string" },
        language: { type: "string" },
        card: { type: ["string", "null"], description: "What pays, masked." },
        mandate: { type: ["string", "null"], description: "Of a bank account, masked." },
      },
      "Of the user behind the SIM, once verified.",
    ),
    requests: Type.Array(Status, { description: "The newest 20, with reason, next action and deadline." }),
    orders: Type.Array(SpineOrder, { description: "What the network opened: settings and keys." }),
    services: Type.Array(Provisioned),
    offers: Type.Array(Offer),
    conflicts: Type.Array(SightingConflictOut, {
      description: "Sources that see the SIM in two handsets at once; the last 20.",
    }),
    devices: Type.Array(Device, { description: "The one where the SIM is now first." }),
    lastScreen: nullable<NonNullable<Standing["lastScreen"]>>(
      { screen: { type: "string" }, channel: { type: "string" }, at: { type: "string" } },
      "What was seen last of the portal or heard of the telephone menu.",
    ),
  }),
);

const shared = { tag: "care", roles: CARE, params: { number: subscriberNumber } } as const;

export const showStanding = route({
  ...shared,
  method: "GET",
  path: "/v1/care/subscribers/:number",
  summary:
    "Where a subscriber stands: requests with what is next, devices, what they have, the screen they saw last",
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  answer: SubscriberStanding,
  async handle(deps, { params, caller: { operatorId } }) {
    return ok(
      await standingOf(deps, operatorId, await subscriberNamed(deps.requests, operatorId, params.number)),
    );
  },
});

/** The number stands in the body: addresses are written down by proxies and kept by browsers. */
export const lookUpSubscriber = route({
  method: "POST",
  path: "/v1/care/look-ups",
  summary: "Find a subscriber by number: answers the id by which where they stand is read",
  tag: "care",
  roles: CARE,
  errors: ["subscriber_not_found", "imsi_malformed", "msisdn_malformed"],
  status: 200,
  body: Type.Object({ number: subscriberNumber }, { additionalProperties: false }),
  answer: Type.Object({ subscriberId: Type.String() }),
  async handle({ requests, audit }, { body, caller: { operatorId, label } }) {
    const subscriberId = await subscriberNamed(requests, operatorId, body.number);
    await audit.record(operatorId, { actor: label, action: "care.look_up", subject: subscriberId });
    return ok({ subscriberId });
  },
});

export const showStandingById = route({
  method: "GET",
  path: "/v1/care/standings/:id",
  summary: "Where a subscriber stands, by the id that a look-up or an order named",
  tag: "care",
  roles: CARE,
  errors: ["subscriber_not_found"],
  status: 200,
  params: { id: id("Of the subscriber.") },
  answer: SubscriberStanding,
  handle: async (deps, { params, caller }) => ok(await standingOf(deps, caller.operatorId, params.id)),
});

async function standingOf(
  { requests, sightingConflicts }: Pick<HttpDeps, "requests" | "sightingConflicts">,
  operatorId: string,
  subscriberId: string,
) {
  const scope = { operatorId, subscriberId };
  const standing = await requests.reader.standing(operatorId, subscriberId);
  if (!standing)
    throw new TurnupError("subscriber_not_found", "No subscriber of this operator has this id.", {
      nextStep: "POST /v1/care/look-ups finds one by number.",
    });
  const [statuses, services, conflicts] = await Promise.all([
    requests.desk.ofSubscriber(scope),
    requests.desk.provisioned(scope),
    sightingConflicts.ofSubscriber(operatorId, subscriberId),
  ]);
  const { devices, orders, offers, ...rest } = standing;
  return {
    ...rest,
    requests: statuses.map(statusBody),
    orders: orders.map((order) => ({ ...order, cause: order.cause as (typeof SPINE_CAUSES)[number] })), // requests were left out above
    services: services.map((one) => ({ ...one })),
    conflicts: conflicts.map((one) => ({ ...one })),
    offers: offers.map((one) => ({ ...one })),
    devices: devices.map((one) => ({ ...one, doubts: one.doubts.map((doubt) => ({ ...doubt })) })),
  };
}

export const resendLink = route({
  ...shared,
  method: "POST",
  path: "/v1/care/subscribers/:number/link",
  summary: "Send a subscriber a new link to the portal by SMS",
  errors: ["subscriber_not_found", "nothing_to_resend", "imsi_malformed", "msisdn_malformed"],
  status: 202,
  once: "door",
  answer: Type.Object({ subscriberId: Type.String() }),
  handle: async (deps, { params, caller }) =>
    linkSent(deps, caller, await subscriberNamed(deps.requests, caller.operatorId, params.number)),
});

export const resendLinkById = route({
  method: "POST",
  path: "/v1/care/standings/:id/link",
  summary: "Send a subscriber a new link to the portal by SMS, by the id that a look-up named",
  tag: "care",
  roles: CARE,
  errors: ["subscriber_not_found", "nothing_to_resend"],
  status: 202,
  once: "door",
  params: { id: id("Of the subscriber.") },
  answer: Type.Object({ subscriberId: Type.String() }),
  async handle(deps, { params, caller }) {
    const known = await deps.requests.reader.standing(caller.operatorId, params.id);
    if (!known) throw subscriberNotFound();
    return linkSent(deps, caller, params.id);
  },
});

async function linkSent(deps: HttpDeps, { operatorId, label }: Caller, subscriberId: string) {
  const { requests, audit } = deps;
  const person = await requests.people.find(operatorId, { subscriberId });
  if (!person?.msisdn) {
    throw new TurnupError("nothing_to_resend", "No phone number of this SIM is known.", {
      nextStep: "Wait until the network tells it, or report a sighting with it.",
    });
  }
  const standing = await requests.reader.standing(operatorId, subscriberId);
  const language = standing?.account?.language ?? LANGUAGE_DEFAULT;
  const { msisdn } = person;
  if (!(await sendLink(deps, { operatorId, subscriberId, msisdn, language })))
    throw tooMany(LINK_RETRY_SECONDS, "Links that were sent to this subscriber are still open.");
  await audit.record(operatorId, { actor: label, action: "link.send", subject: subscriberId });
  return accepted({ subscriberId });
}
