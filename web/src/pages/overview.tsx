/** How many orders reached each station, how many come, what fails of what, what waits. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import type { Schemas } from "../api/client.ts";
import { approvalsQuery, overviewQuery, sessionQuery } from "../api/queries.ts";
import { Icon } from "../parts/icons.tsx";
import { Card, Loading, Notice, PageHead, Problem, Time } from "../parts/parts.tsx";
import { wordOf } from "../parts/state.tsx";
import { HOURS } from "../search.ts";
import { exactTime, number, t } from "../words/words.ts";

const RateChart = lazy(() => import("../parts/rate-chart.tsx"));
type Overview = Schemas["Overview"];
const STATIONS = ["seen", "judged", "keyed", "sent", "delivered", "opened", "works", "paid"] as const;
const HOURS_DEFAULT = 24;

export function OverviewPage() {
  const { hours = HOURS_DEFAULT } = useSearch({ from: "/shell/" });
  const { data, error, refetch } = useQuery({ ...overviewQuery(hours), placeholderData: keepPreviousData });
  return (
    <>
      <PageHead
        title={t("nav.overview")}
        actions={
          <nav className="segments" aria-label={t("overview.span")}>
            {HOURS.map((one) => (
              <Link
                key={one}
                to="/"
                search={one === HOURS_DEFAULT ? {} : { hours: one }}
                activeOptions={{ exact: true }}
                {...(one === hours && { "aria-current": "true" })}
              >
                {t(`overview.span.${one}`)}
              </Link>
            ))}
          </nav>
        }
      />
      {error && <Problem error={error} onAgain={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && (
        <div className="stack">
          <Stations overview={data} />
          <div className="two">
            <div>
              <Failures overview={data} />
              <Rate overview={data} />
            </div>
            <aside>
              <Waits overview={data} />
              <Centres centres={data.centres} />
            </aside>
          </div>
        </div>
      )}
    </>
  );
}

const Stations = ({ overview: { orders, since, isWhole, stations } }: { readonly overview: Overview }) => (
  <section className="card" aria-label={t("order.line")}>
    <div className="body">
      <p>{t("overview.reached", { n: orders, time: exactTime(since) })}</p>
      {!isWhole && <p className="muted">{t("overview.part")}</p>}
      <ol className="stations">
        {STATIONS.map((station) => (
          <li key={station}>
            <Icon
              name={stations[station] === 0 ? "none" : station === "paid" ? "paid" : "ok"}
              tone={stations[station] === 0 ? "idle" : "good"}
            />
            <span>{t(`station.${station}`)}</span>
            <b>{number(stations[station])}</b>
          </li>
        ))}
      </ol>
    </div>
  </section>
);

/** A link leads to what the list can tell apart: orders of this phone that ended so, whatever item and cause it was. */
const Failures = ({ overview: { failures, since } }: { readonly overview: Overview }) => (
  <Card title={t("overview.failures")}>
    {failures.length === 0 ? (
      <Notice>{t("empty.failures")}</Notice>
    ) : (
      <ul className="links-list">
        {failures.map((group) => (
          <li
            className="failure"
            key={`${group.state} ${group.kind} ${group.cause} ${group.make} ${group.model}`}
          >
            <div>
              <b>{group.make === null ? t("orders.unknown_phone") : `${group.make} ${group.model ?? ""}`}</b>{" "}
              <span className="tag">{wordOf("kind", group.kind)}</span>{" "}
              <b className="num">{t("failures.orders", { n: group.orders })}</b>
              <p className="muted" lang="en">
                {group.reason}
              </p>
              <p className="small muted">
                {t("failures.first")} <Time at={group.firstAt} />, {t("failures.last")}{" "}
                <Time at={group.lastAt} />
              </p>
            </div>
            <Link
              to="/orders"
              search={{
                state: group.state,
                createdFrom: since,
                ...(group.make !== null && { make: group.make }),
                ...(group.model !== null && { model: group.model }),
              }}
              className="button"
            >
              {t(`failures.show.${group.state === "failed" ? "failed" : "part"}`)}
            </Link>
          </li>
        ))}
      </ul>
    )}
  </Card>
);

function Rate({ overview }: { readonly overview: Overview }) {
  const { rate, stepSeconds } = overview;
  const [isTable, setTable] = useState(false);
  const most = Math.max(0, ...rate.map(({ seen }) => seen));
  return (
    <Card
      title={t("overview.rate")}
      aside={
        most > 0 && (
          <button type="button" className="button" onClick={() => setTable(!isTable)}>
            {t(isTable ? "overview.chart" : "overview.table")}
          </button>
        )
      }
    >
      <div className="chart">
        <p className="muted">
          {most === 0
            ? t("overview.rate.none")
            : t("overview.rate.finding", {
                most: number(most),
                minutes: number(Math.round(stepSeconds / 60)),
              })}
        </p>
        {most > 0 && !isTable && (
          <Suspense fallback={<Loading />}>
            <RateChart overview={overview} />
          </Suspense>
        )}
        {most > 0 && isTable && (
          <table className="rows">
            <thead>
              <tr>
                <th scope="col">{t("audit.when")}</th>
                <th scope="col" className="num">
                  {t("overview.rate.seen")}
                </th>
                <th scope="col" className="num">
                  {t("overview.rate.done")}
                </th>
                <th scope="col" className="num">
                  {t("overview.rate.failed")}
                </th>
              </tr>
            </thead>
            <tbody>
              {rate.map(({ at, seen, done, failed }) => (
                <tr key={at}>
                  <td>{exactTime(at)}</td>
                  <td className="num">{number(seen)}</td>
                  <td className="num">{number(done)}</td>
                  <td className="num">{number(failed)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </div>
    </Card>
  );
}

function Waits({ overview: { states, since } }: { readonly overview: Overview }) {
  const { data: session } = useQuery(sessionQuery);
  const mayDecide = session !== undefined && session.role !== "care";
  const { data: approvals } = useQuery({ ...approvalsQuery, enabled: mayDecide });
  const open = approvals?.rows.filter(({ state }) => state === "waiting").length ?? 0;
  const nothing = states.waiting + states.awaiting_consent + states.provisioning + open === 0;
  return (
    <Card title={t("overview.waits")}>
      {nothing ? (
        <Notice>{t("empty.waits")}</Notice>
      ) : (
        <ul className="links">
          {states.waiting > 0 && (
            <li>
              <Icon name="wait" tone="wait" />
              <Link to="/orders" search={{ state: "waiting", createdFrom: since }}>
                {t("overview.waiting", { n: states.waiting })}
              </Link>
            </li>
          )}
          {states.awaiting_consent > 0 && (
            <li>
              <Icon name="wait" tone="wait" />
              <Link to="/orders" search={{ state: "awaiting_consent", createdFrom: since }}>
                {t("overview.consent", { n: states.awaiting_consent })}
              </Link>
            </li>
          )}
          {open > 0 && (
            <li>
              <Icon name="wait" tone="wait" />
              <Link to="/jobs">{t("overview.approvals", { n: open })}</Link>
            </li>
          )}
          {states.provisioning > 0 && (
            <li>
              <Icon name="half" tone="move" />
              <Link to="/orders" search={{ state: "provisioning", createdFrom: since }}>
                {t("overview.under_way", { n: states.provisioning })}
              </Link>
            </li>
          )}
        </ul>
      )}
    </Card>
  );
}

const Centres = ({ centres }: { readonly centres: Overview["centres"] }) => (
  <Card title={t("overview.centres")}>
    {centres.length === 0 ? (
      <Notice>{t("overview.centres.none")}</Notice>
    ) : (
      <ul className="links">
        {centres.map(({ name, bound }) => (
          <li key={name}>
            <Icon name={bound ? "ok" : "bad"} tone={bound ? "good" : "bad"} />
            <span className="mono">{name}</span>
            <span className="num muted">{t(bound ? "overview.centre.bound" : "overview.centre.down")}</span>
          </li>
        ))}
      </ul>
    )}
  </Card>
);
