/** The line: a row an item, the stations that it has passed, the one where it stands, those to come. By evidence alone. */
import type { CSSProperties } from "react";
import type { Schemas } from "../api/client.ts";
import { Icon, type StateIcon } from "../parts/icons.tsx";
import { lookOf, stateWord, type Tone, wordOf } from "../parts/state.tsx";
import { t } from "../words/words.ts";

type OrderStory = Schemas["OrderStory"];
type Item = Schemas["OrderItem"];
const STATIONS = ["seen", "judged", "keyed", "sent", "delivered", "opened", "works", "paid"] as const;
type Station = (typeof STATIONS)[number];
type Stop =
  | { readonly icon: StateIcon; readonly tone: Tone; readonly isPassed: boolean; readonly words: string }
  | undefined;

const RANK: Readonly<Record<string, number>> = { delivered: 1, opened: 2, works: 3, access_data_sent: 2 };

export const Line = ({ order }: { readonly order: OrderStory }) => (
  <section className="card line-wrap" aria-label={t("order.line")}>
    <table className="line">
      <thead>
        <tr>
          <td />
          {STATIONS.map((station) => (
            <th scope="col" key={station}>
              {t(`station.${station}`)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {order.items.map((item) => (
          <ItemRow key={item.id} order={order} item={item} />
        ))}
      </tbody>
    </table>
  </section>
);

function ItemRow({ order, item }: { readonly order: OrderStory; readonly item: Item }) {
  let last: number | undefined;
  return (
    <tr>
      <th scope="row">{item.subject?.name ?? wordOf("kind", item.kind)}</th>
      {STATIONS.map((station, at) => {
        const stop = stopOf(station, order, item);
        const joins = stop && last !== undefined ? (stop.isPassed ? "joined" : "open") : "";
        const back = last === undefined ? 0 : at - last;
        if (stop) last = at;
        return (
          <td key={station} className={joins} style={{ "--back": back } as CSSProperties}>
            {stop && (
              <>
                <Icon name={stop.icon} tone={stop.tone} />
                <span className={`under ${stop.isPassed ? "muted" : stop.tone}`}>{stop.words}</span>
              </>
            )}
          </td>
        );
      })}
    </tr>
  );
}

const passed = (words: string): Stop => ({ icon: "ok", tone: "good", isPassed: true, words });
const toCome = (words = ""): Stop => ({ icon: "none", tone: "idle", isPassed: false, words });
const standsAt = (item: Item): Stop => ({
  ...lookOf(item.state),
  isPassed: false,
  words: stateWord(item.state),
});

function stopOf(station: Station, order: OrderStory, item: Item): Stop {
  const rank = RANK[item.state] ?? 0;
  const wasSent = item.messageId !== null;
  switch (station) {
    case "seen":
      return item.kind === "settings" || item.kind === "key" ? passed("") : undefined;
    case "judged":
      if (item.kind !== "settings" && item.kind !== "key") return undefined;
      return order.verdict ? passed(wordOf("verdict", order.verdict)) : toCome();
    case "keyed":
      if (item.kind !== "key") return undefined;
      return item.keyId !== null
        ? passed("")
        : item.state === "waiting_for_key" || item.state === "failed"
          ? standsAt(item)
          : toCome();
    case "sent":
      if (wasSent) return passed(partsOf(order, item));
      return item.state === "sending" || (item.state === "failed" && item.kind !== "key")
        ? standsAt(item)
        : toCome();
    case "delivered":
      if (rank >= 1) return passed(deliveredOf(order, item));
      return wasSent ? standsAt(item) : toCome();
    case "opened":
      if (item.state === "opened") return passed(stateWord("opened"));
      return rank > 2
        ? wasTold(order, item, "opened")
          ? passed("")
          : { icon: "off", tone: "idle", isPassed: true, words: t("line.not_told") }
        : toCome();
    case "works":
      return item.state === "works" ? passed("") : toCome();
    case "paid":
      return paidOf(order, item);
  }
}

const wasTold = ({ events }: OrderStory, { id }: Item, kind: string): boolean =>
  events.some((event) => event.itemId === id && event.kind === kind);

const partsOf = ({ messages }: OrderStory, { messageId }: Item): string => {
  const message = messages.find(({ id }) => id === messageId);
  return message ? t("order.parts", { n: message.partCount }) : "";
};
const deliveredOf = ({ messages }: OrderStory, { messageId }: Item): string => {
  const message = messages.find(({ id }) => id === messageId);
  const done = message?.parts.filter(({ state }) => state === "delivered").length ?? 0;
  return message && done > 0 ? t("line.parts", { done, n: message.partCount }) : "";
};

function paidOf({ charges }: OrderStory, { id, kind }: Item): Stop {
  const charge = charges.find(({ itemId }) => itemId === id);
  if (charge) {
    const isPaid = charge.state === "paid" || charge.state === "settled";
    return { ...lookOf(charge.state), isPassed: isPaid, words: stateWord(charge.state) };
  }
  return kind === "key" ? toCome() : undefined;
}
