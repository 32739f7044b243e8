/** What an item sets: the catalog's parameters, with what was given for it in the place of `{name}`, and the given fields themselves. */
import type { RequestItem, RequestTurn } from "../order/turn.ts";

type Values = Readonly<Record<string, string>>;

const givenFor = ({ order }: Pick<RequestTurn, "order">, { subject }: RequestItem): Values =>
  (subject.fields ?? []).length > 0 ? (order.request.fields[subject.catalogId] ?? {}) : {};

/** For the device: a parameter that nobody gave a value for is set to none. */
export function parametersOf(turn: Pick<RequestTurn, "order">, item: RequestItem): Values {
  const { content, fields = [] } = item.subject;
  if (content.kind !== "parameters") return {};
  const given = givenFor(turn, item);
  const asked = new Set(fields.map(({ name }) => name));
  const filled = (value: string): string =>
    value.replace(/\{([A-Za-z][A-Za-z0-9_.-]*)\}/g, (whole, name: string) =>
      asked.has(name) ? (given[name] ?? "") : whole,
    );
  return Object.fromEntries(Object.entries(content.values).map(([name, value]) => [name, filled(value)]));
}

/** For an element of the network: the parameters, and beside them each field by its name. */
export const elementValuesOf = (turn: Pick<RequestTurn, "order">, item: RequestItem): Values => ({
  ...parametersOf(turn, item),
  ...givenFor(turn, item),
});
