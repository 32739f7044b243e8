/** One caller: where they stand in words that can be said aloud, what is next, what can be done for them. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { ApiProblem, api, dataOf, newKey, type Schemas } from "../api/client.ts";
import { queries, standingQuery } from "../api/queries.ts";
import { Button, Card, Loading, PageHead, Problem, Time } from "../parts/parts.tsx";
import { Badge, wordOf } from "../parts/state.tsx";
import { say } from "../parts/toast.tsx";
import { exactTime, t } from "../words/words.ts";

type Standing = Schemas["SubscriberStanding"];

export function CallerPage() {
  const { subscriberId } = useParams({ from: "/shell/care/$subscriberId" });
  const { data: standing, error, refetch } = useQuery(standingQuery(subscriberId));
  if (!standing)
    return error ? (
      <>
        <PageHead title={t("care.title")} />
        <Problem error={error} onAgain={() => void refetch()} />
      </>
    ) : (
      <Loading />
    );
  return (
    <>
      <PageHead
        title={standing.msisdnMasked ?? standing.imsiMasked}
        actions={
          <Link to="/care" className="button">
            {t("care.another")}
          </Link>
        }
      />
      {error && <Problem error={error} onAgain={() => void refetch()} />}
      <div className="two">
        <div>
          <Stands standing={standing} />
          <Orders standing={standing} />
          <Asked standing={standing} />
        </div>
        <aside>
          <Do standing={standing} />
          <ThisLine standing={standing} />
          <p className="small muted">{t("care.masked")}</p>
        </aside>
      </div>
    </>
  );
}

function Stands({ standing: { orders, devices } }: { readonly standing: Standing }) {
  const [newest] = orders;
  const current = devices.find(({ isCurrent }) => isCurrent);
  return (
    <section className="card" aria-label={t("care.stands")}>
      <div className="body stack">
        <h2 className="small muted">{t("care.stands")}</h2>
        {newest ? (
          <>
            <p className="sentence" lang="en">
              {newest.reason}
            </p>
            <p>
              <Badge state={newest.state} />{" "}
              {newest.nextAction !== "" && newest.nextAction !== "none" && (
                <>
                  {t("order.next")}: <span lang="en">{newest.nextAction}</span>.
                </>
              )}
              {newest.deadlineAt && ` ${t("order.deadline", { time: exactTime(newest.deadlineAt) })}`}
            </p>
          </>
        ) : (
          <p className="sentence">{t("care.no_order")}</p>
        )}
        {current && (
          <p className="muted">
            {t("care.phone_now")}: {phoneOf(current)}, <Time at={current.lastSeenAt} />
          </p>
        )}
      </div>
    </section>
  );
}

const phoneOf = ({ make, model }: Standing["devices"][number]): string =>
  make === null ? t("care.unnamed") : `${make} ${model ?? ""}`.trim();

function Do({ standing }: { readonly standing: Standing }) {
  const [key, setKey] = useState(newKey);
  const link = useMutation({
    mutationFn: () =>
      dataOf(
        api.POST("/v1/care/standings/{id}/link", { params: { path: { id: standing.subscriberId }, ...key } }),
      ),
    onSuccess: () => say(t("done.link")),
    onError: (error) => say(error instanceof ApiProblem ? error.message : t("error.title")),
    onSettled: async () => {
      setKey(newKey());
      await queries.invalidateQueries({ queryKey: ["standing", standing.subscriberId] });
    },
  });
  const [newest] = standing.orders;
  return (
    <Card title={t("care.do")}>
      <div className="body do">
        {newest && (
          <Link to="/orders/$orderId" params={{ orderId: newest.id }} className="button primary">
            {t("care.open_order")}
          </Link>
        )}
        <Button
          onPress={() => link.mutate()}
          whyNot={standing.msisdnMasked === null ? t("order.number.none") : undefined}
        >
          {t("care.link")}
        </Button>
        <p className="small muted">{t("care.link.about")}</p>
      </div>
    </Card>
  );
}

const ThisLine = ({ standing }: { readonly standing: Standing }) => (
  <Card title={t("care.line")}>
    <dl className="facts">
      <dt>{t("order.number")}</dt>
      <dd className="mono">{standing.msisdnMasked ?? t("order.number.none")}</dd>
      <dt>IMSI</dt>
      <dd className="mono">{standing.imsiMasked}</dd>
      <dt>{t("care.phones")}</dt>
      <dd>
        {standing.devices.map((device) => (
          <p key={device.deviceId}>
            {phoneOf(device)} <span className="mono muted">{device.imeiMasked}</span>
          </p>
        ))}
      </dd>
      <dt>{t("care.services")}</dt>
      <dd>
        {standing.services.length === 0
          ? t("care.services.none")
          : standing.services.map(({ itemId, name }) => <p key={itemId}>{name}</p>)}
      </dd>
      {standing.lastScreen && (
        <>
          <dt>{t("care.last_screen")}</dt>
          <dd>
            {standing.lastScreen.screen}, <Time at={standing.lastScreen.at} />
          </dd>
        </>
      )}
    </dl>
  </Card>
);

const Orders = ({ standing: { orders } }: { readonly standing: Standing }) =>
  orders.length > 0 && (
    <Card title={t("care.orders")}>
      <ul className="links">
        {orders.map((order) => (
          <li key={order.id}>
            <Badge state={order.state} isPlain />
            <Link to="/orders/$orderId" params={{ orderId: order.id }}>
              {wordOf("cause", order.cause)}
            </Link>
            <span className="num muted">
              <Time at={order.createdAt} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );

const Asked = ({ standing: { requests } }: { readonly standing: Standing }) =>
  requests.length > 0 && (
    <Card title={t("care.requests")}>
      <ul className="links">
        {requests.map((request) => (
          <li key={request.reference}>
            <Badge state={request.state} isPlain />
            <span lang="en">{request.reason}</span>
            <span className="num mono muted">{request.reference}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
