/** What an item sets: the catalog's parameters, with what was given for it in the place of `{name}`, and the given fields themselves. */
import type { RequestItem, RequestTurn } from "../order/turn.ts";

type Values = Readonly<Record<string, string>>;

const givenFor = ({ order }: Pick<RequestTurn, "order">, { subject }: RequestItem): Values =>
  (subject.fields ?? []).length > 0 ? (order.request.fields[subject.catalogId] ?? {}) : {};

/** What was given for an item of its own fields: kept with what is had. */
export const givenOf = (turn: Pick<RequestTurn, "order">, item: RequestItem): Values =>
  item.kind === "feature" ? givenFor(turn, item) : {};

/** A value that nobody gave for a name that was asked is none. */
const filled = (values: Values, asked: readonly string[], given: Values): Values =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [
      name,
      value.replace(/\{([A-Za-z][A-Za-z0-9_.-]*)\}/g, (whole, field: string) =>
        asked.includes(field) ? (given[field] ?? "") : whole,
      ),
    ]),
  );

/** For the device: a parameter that nobody gave a value for is set to none, as is one that only the version before had. */
export function parametersOf(turn: Pick<RequestTurn, "order">, item: RequestItem): Values {
  const { content, fields = [], replaces, action } = item.subject;
  const former = action === "add" ? Object.keys(replaces?.values ?? {}) : [];
  const asked = fields.map(({ name }) => name);
  return {
    ...Object.fromEntries(former.map((name) => [name, ""])),
    ...(content.kind === "parameters" ? filled(content.values, asked, givenFor(turn, item)) : {}),
  };
}

/** For an element of the network: the parameters, and beside them each field by its name. */
export function elementValuesOf(turn: Pick<RequestTurn, "order">, item: RequestItem): Values {
  const { content, fields = [] } = item.subject;
  const given = givenFor(turn, item);
  const asked = fields.map(({ name }) => name);
  return { ...(content.kind === "parameters" ? filled(content.values, asked, given) : {}), ...given };
}

/** What an element was told of the version that is replaced. */
export function formerValuesOf(
  { order }: Pick<RequestTurn, "order">,
  { subject: { catalogId, replaces } }: RequestItem,
): Values {
  const given = order.request.formerFields[catalogId] ?? {};
  return { ...filled(replaces?.values ?? {}, replaces?.fields ?? [], given), ...given };
}
