/** One order: why it stands where it stands and what comes next, where each item is, and the story with its evidence. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ApiProblem, api, dataOf, newKey, type Schemas } from "../api/client.ts";
import { orderQuery, queries } from "../api/queries.ts";
import { Confirm } from "../parts/confirm.tsx";
import { Icon } from "../parts/icons.tsx";
import { Button, Card, Loading, PageHead, Problem, Time } from "../parts/parts.tsx";
import { Badge, lookOf, wordOf } from "../parts/state.tsx";
import { say } from "../parts/toast.tsx";
import { exactTime, money, t } from "../words/words.ts";
import { Line } from "./order-line.tsx";
import { Story } from "./order-story.tsx";
import { phoneOf } from "./orders.tsx";

type OrderStory = Schemas["OrderStory"];
const FINAL: readonly OrderStory["state"][] = ["completed", "cancelled", "rejected", "declined", "expired"];
/** What ended without its aim may be sent again; what is over by a decision may not. */
const isOver = ({ state }: OrderStory): boolean => FINAL.includes(state);
const ENDED: readonly OrderStory["state"][] = [...FINAL, "failed", "partly_completed"];

export function OrderPage() {
  const { orderId } = useParams({ from: "/shell/orders/$orderId" });
  const { data: order, error, refetch } = useQuery(orderQuery(orderId));
  if (!order)
    return error ? (
      <>
        <PageHead title={t("nav.orders")} />
        <Problem error={error} onAgain={() => void refetch()} />
      </>
    ) : (
      <Loading />
    );
  return (
    <>
      <PageHead title={phoneOf(order)} actions={<Actions order={order} />}>
        <Badge state={order.state} />
      </PageHead>
      <div className="meta small">
        <span className="mono">{order.msisdnMasked ?? order.imsiMasked}</span>
        <span title={exactTime(order.createdAt)}>
          {t("order.opened", { time: exactTime(order.createdAt) })}
        </span>
        <span>{wordOf("cause", order.cause)}</span>
        <CopyId id={order.id} />
      </div>
      {error && <Problem error={error} onAgain={() => void refetch()} />}
      <Now order={order} />
      <Line order={order} />
      <div className="two">
        <Story order={order} />
        <Facts order={order} />
      </div>
    </>
  );
}

/** What the server says where nothing comes next. */
const isNothing = (next: string): boolean => next === "" || next === "none";

function Now({ order }: { readonly order: OrderStory }) {
  const { icon, tone } = lookOf(order.state);
  return (
    <section className={`now ${tone}`} aria-label={t("orders.why")}>
      <Icon name={icon} tone={tone} />
      <div>
        <p className="say" lang="en">
          {order.reason}
        </p>
        <p>
          {!isNothing(order.nextAction) && (
            <>
              {t("order.next")}: <span lang="en">{order.nextAction}</span>.{" "}
            </>
          )}
          {order.endedAt ? (
            t("order.ended", { time: exactTime(order.endedAt) })
          ) : (
            <>
              {order.dueAt && t("order.due", { time: exactTime(order.dueAt) })}{" "}
              {order.deadlineAt && t("order.deadline", { time: exactTime(order.deadlineAt) })}
            </>
          )}
        </p>
      </div>
    </section>
  );
}

/** Both ask once more; a refusal of the server is shown with its reason, and the page is read anew. */
function Actions({ order }: { readonly order: OrderStory }) {
  const [asked, setAsked] = useState<"resend" | "cancel">();
  const [key, setKey] = useState(newKey);
  const act = useMutation({
    mutationFn: (what: "resend" | "cancel") =>
      dataOf(api.POST(`/v1/orders/{id}/${what}`, { params: { path: { id: order.id }, ...key } })),
    onSuccess: (_answer, what) => say(t(`done.${what}`)),
    onError: (error) => say(error instanceof ApiProblem ? error.message : t("error.title")),
    onSettled: () => queries.invalidateQueries({ queryKey: ["order", order.id] }),
  });
  const ask = (what: "resend" | "cancel"): void => {
    setKey(newKey()); // a repeat of this press changes nothing, the next press is another
    setAsked(what);
  };
  const confirm = (): void => {
    if (asked) act.mutate(asked);
    setAsked(undefined);
  };
  return (
    <>
      <Button onPress={() => ask("cancel")} whyNot={ENDED.includes(order.state) ? t("no.ended") : undefined}>
        {t("act.cancel_order")}
      </Button>
      <Button onPress={() => ask("resend")} isPrimary whyNot={whyNoResend(order)}>
        {t("act.send_again")}
      </Button>
      <Confirm
        title={t(asked === "cancel" ? "cancel.title" : "resend.title")}
        text={t(asked === "cancel" ? "cancel.text" : "resend.text")}
        action={t(asked === "cancel" ? "act.cancel_order" : "act.send_again")}
        isOpen={asked !== undefined}
        onClose={() => setAsked(undefined)}
        onConfirm={confirm}
      />
    </>
  );
}

const WAS_SENT: readonly Schemas["OrderItem"]["state"][] = [
  "sending",
  "delivered",
  "opened",
  "failed",
  "awaiting_choice",
];

/** What is plain from here; all else the server says when it is asked. */
function whyNoResend(order: OrderStory): string | undefined {
  if (isOver(order)) return t("no.ended");
  return order.items.some(({ state, messageId }) => messageId !== null && WAS_SENT.includes(state))
    ? undefined
    : t("no.nothing");
}

function CopyId({ id }: { readonly id: string }) {
  const copy = async (): Promise<void> => {
    await navigator.clipboard.writeText(id);
    say(t("order.copied"));
  };
  return (
    <button type="button" className="copy" onClick={() => void copy()} aria-label={t("order.copy_id")}>
      <span className="mono">
        {id.slice(0, 8)}…{id.slice(-4)}
      </span>
    </button>
  );
}

const Facts = ({ order }: { readonly order: OrderStory }) => (
  <aside>
    <Card title={t("order.subscriber")}>
      <dl className="facts">
        <dt>{t("order.number")}</dt>
        <dd className="mono">{order.msisdnMasked ?? t("order.number.none")}</dd>
        <dt>IMSI</dt>
        <dd className="mono">{order.imsiMasked}</dd>
        <dt>{t("nav.orders")}</dt>
        <dd>
          <Link to="/orders" search={{ subscriberId: order.subscriberId }}>
            {t("order.others")}
          </Link>
        </dd>
        <dt>{t("nav.care")}</dt>
        <dd>
          <Link to="/care/$subscriberId" params={{ subscriberId: order.subscriberId }}>
            {t("care.stands")}
          </Link>
        </dd>
      </dl>
    </Card>
    <Card title={t("order.phone")}>
      <dl className="facts">
        <dt>IMEI</dt>
        <dd className="mono">{order.imeiMasked}</dd>
        <dt>{t("order.verdict")}</dt>
        <dd>{order.verdict ? wordOf("verdict", order.verdict) : t("verdict.none")}</dd>
        {order.policyVersion !== null && (
          <>
            <dt>{t("order.policy")}</dt>
            <dd>{order.policyVersion}</dd>
          </>
        )}
        <dt>{t("order.sends")}</dt>
        <dd>{order.attempts}</dd>
      </dl>
    </Card>
    <Money charges={order.charges} />
    {order.applications.length > 0 && <Applications applications={order.applications} />}
  </aside>
);

const Money = ({ charges }: { readonly charges: OrderStory["charges"] }) => (
  <Card title={t("order.money")}>
    {charges.length === 0 ? (
      <p className="body muted">{t("order.no_fee")}</p>
    ) : (
      charges.map(({ id, state, feeMinor, portionMinor, currency }) => (
        <dl className="facts" key={id}>
          <dt>{t("order.fee")}</dt>
          <dd>
            {money(feeMinor, currency)} <Badge state={state} isPlain />
          </dd>
          <dt>{t("order.portion")}</dt>
          <dd>{money(portionMinor, currency)}</dd>
        </dl>
      ))
    )}
  </Card>
);

const Applications = ({ applications }: { readonly applications: OrderStory["applications"] }) => (
  <Card title={t("order.applications")}>
    <dl className="facts">
      {applications.map(({ application, before, after }) => (
        <div key={application} className="contents">
          <dt>{application.replaceAll("_", " ")}</dt>
          <dd>
            {t("order.application.before")}: {wordOf("outcome", before.outcome)}
            <br />
            {t("order.application.after")}: {wordOf("outcome", after.outcome)}
            {after.seenAt && (
              <>
                {", "}
                <Time at={after.seenAt} />
              </>
            )}
          </dd>
        </div>
      ))}
    </dl>
  </Card>
);
