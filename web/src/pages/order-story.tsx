/** What happened, oldest first: when, what, who saw it. The next act stands last, so nothing looks stuck. */
import { Link, useSearch } from "@tanstack/react-router";
import type { Schemas } from "../api/client.ts";
import { Icon, type StateIcon } from "../parts/icons.tsx";
import { Notice } from "../parts/parts.tsx";
import { lookOf, stateWord, wordOf } from "../parts/state.tsx";
import { SHOWS, type Show } from "../search.ts";
import { dayOf, exactTime, isKey, stampOf, t } from "../words/words.ts";
import { Message } from "./order-message.tsx";

type OrderStory = Schemas["OrderStory"];
type Event = Schemas["OrderEvent"];
type MessageOf = OrderStory["messages"][number];

/** By the words of kinds (docs/api.md): what is of none of them is shown under all. */
const OF: Readonly<Record<Show, RegExp>> = {
  messages: /^(sending|resent|companion_resent|delivered|notice_|content_|mail_|knock_|terms_not_sent)/,
  proof:
    /^(delivered|opened|works|access_point_seen|application_|symptom_|settings_set|profile_downloaded|proof_missing|device_refused|key_deleted|late_)/,
  money: /^(fee_|portion_|collection_|billing_|line_disputed|dispute_|maker_told_of_payment|remittance_)/,
  people:
    /^(self_care_|review_|terms_(accepted|declined)|reopened|order_cancelled|fields_|details_|retransmission_)/,
};

export function Story({ order }: { readonly order: OrderStory }) {
  const { show, at } = useSearch({ from: "/shell/orders/$orderId" });
  const events = show ? order.events.filter(({ kind }) => OF[show].test(kind)) : order.events;
  const messageAt = messagesByEvent(order);
  return (
    <section aria-label={t("order.story")}>
      <div className="story-head">
        <h2>{t("order.story")}</h2>
        <nav className="segments" aria-label={t("orders.filters")}>
          <Pick order={order} show={undefined} now={show} />
          {SHOWS.map((one) => (
            <Pick key={one} order={order} show={one} now={show} />
          ))}
        </nav>
      </div>
      {events.length === 0 && <Notice>{t("empty.events")}</Notice>}
      <ol className="story">
        {events.map((event, index) => (
          <Row
            key={event.id}
            order={order}
            event={event}
            before={events[index - 1]}
            message={messageAt.get(event.id)}
            openAt={at}
          />
        ))}
        {show === undefined && order.endedAt === null && <Next order={order} />}
      </ol>
    </section>
  );
}

const Pick = ({
  order,
  show,
  now,
}: {
  readonly order: OrderStory;
  readonly show: Show | undefined;
  readonly now: Show | undefined;
}) => (
  <Link
    to="/orders/$orderId"
    params={{ orderId: order.id }}
    search={show ? { show } : {}}
    resetScroll={false}
    {...(show === now && { "aria-current": "true" as const })}
  >
    {t(`order.show.${show ?? "all"}`)}{" "}
    {show ? order.events.filter(({ kind }) => OF[show].test(kind)).length : order.events.length}
  </Link>
);

type RowProps = {
  readonly order: OrderStory;
  readonly event: Event;
  readonly before: Event | undefined;
  readonly message: MessageOf | undefined;
  readonly openAt: string | undefined;
};
function Row({ order, event, before, message, openAt }: RowProps) {
  const { icon, tone } = markOf(event);
  const item = order.items.find(({ id }) => id === event.itemId);
  const isNewDay = before === undefined || dayOf(before.at) !== dayOf(event.at);
  return (
    <>
      {isNewDay && <li className="day">{dayOf(event.at)}</li>}
      <li>
        <time dateTime={event.at} title={exactTime(event.at)} className="mono">
          {stampOf(event.at)}
        </time>
        <span className="mark">
          <Icon name={icon} tone={tone} />
        </span>
        <div className="event">
          <p>
            <b>{titleOf(event)}</b>
            {item && <span className="tag">{item.subject?.name ?? wordOf("kind", item.kind)}</span>}
          </p>
          <p className="muted why" lang="en">
            {event.reason}
          </p>
          {event.evidence && <p className="small muted">{t("order.seen_by", { who: event.evidence })}</p>}
          {message && <Message message={message} isOpen={message.id === openAt} />}
        </div>
      </li>
    </>
  );
}

const Next = ({ order }: { readonly order: OrderStory }) => (
  <li>
    {order.dueAt ? (
      <time dateTime={order.dueAt} title={exactTime(order.dueAt)} className="mono">
        {stampOf(order.dueAt)}
      </time>
    ) : (
      <span />
    )}
    <span className="mark">
      <Icon name="late" tone="idle" />
    </span>
    <div className="event next">
      <p>
        <b>{t("order.next")}</b>
      </p>
      <p className="muted why" lang="en">
        {order.nextAction}
      </p>
    </div>
  </li>
);

/** A message stands at the first event that names it. */
function messagesByEvent({ events, messages }: OrderStory): ReadonlyMap<string, MessageOf> {
  const found = new Map<string, MessageOf>();
  const left = new Map(messages.map((message) => [message.id, message]));
  for (const { id, detail } of events) {
    const messageId =
      typeof detail === "object" && detail !== null && "messageId" in detail ? detail.messageId : undefined;
    const message = typeof messageId === "string" ? left.get(messageId) : undefined;
    if (!message) continue;
    found.set(id, message);
    left.delete(message.id);
  }
  return found;
}

function titleOf({ kind, state }: Event): string {
  const key = `event.${kind}`;
  if (isKey(key)) return t(key);
  if (state !== null && state !== "" && (kind === state || kind === `order_${state}`))
    return stateWord(state);
  return sentence(kind.replaceAll("_", " "));
}

function markOf({ kind, state }: Event): { readonly icon: StateIcon; readonly tone: string } {
  if (/^(fee_paid|portion_paid|collection_taken)/.test(kind)) return { icon: "paid", tone: "good" };
  if (/(_refused|_failed|given_up|not_received|device_refused)$/.test(kind))
    return { icon: "bad", tone: "bad" };
  if (kind === "symptom_seen") return { icon: "wait", tone: "wait" };
  if (/_seen$|_works$|^settings_set/.test(kind)) return { icon: "ok", tone: "good" };
  if (state !== null && state !== "" && (kind === state || kind === `order_${state}`)) return lookOf(state);
  return { icon: "none", tone: "idle" };
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
