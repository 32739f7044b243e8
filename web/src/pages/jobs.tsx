/** What takes longer than a request, and what waits for a second person to agree. */
import { useInfiniteQuery, useMutation, useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { ApiProblem, api, dataOf, type Schemas } from "../api/client.ts";
import { approvalsQuery, PAGE_ROWS, queries } from "../api/queries.ts";
import { PagedTable } from "../parts/paged-table.tsx";
import { Card, Loading, Notice, PageHead, Problem, Time } from "../parts/parts.tsx";
import { Badge } from "../parts/state.tsx";
import { say } from "../parts/toast.tsx";
import { exactTime, number, t } from "../words/words.ts";

const LIVE_MS = 5_000;

export function JobsPage() {
  const list = useInfiniteQuery({
    queryKey: ["jobs"],
    queryFn: ({ pageParam }) =>
      dataOf(
        api.GET("/v1/jobs", {
          params: { query: { limit: PAGE_ROWS, ...(pageParam !== null && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
    refetchInterval: LIVE_MS,
  });
  return (
    <>
      <PageHead title={t("jobs.title")} />
      <div className="stack">
        <Approvals />
        <h2>{t("jobs.jobs")}</h2>
        <PagedTable
          label={t("jobs.jobs")}
          list={list}
          empty={t("empty.jobs")}
          keyOf={({ id }) => id}
          columns={[
            { title: t("orders.state"), cell: ({ state }) => <Badge state={state} isPlain /> },
            { title: t("jobs.kind"), cell: ({ kind }) => kind.replaceAll("_", " ") },
            {
              title: t("jobs.progress"),
              cell: ({ done, total }) =>
                total === null ? number(done) : `${number(done)} / ${number(total)}`,
              className: "num",
            },
            {
              title: t("jobs.reason"),
              cell: ({ reason }) => <span lang="en">{reason}</span>,
              className: "wide",
            },
            { title: t("jobs.asked_by"), cell: ({ askedBy }) => askedBy },
            { title: t("audit.when"), cell: ({ askedAt }) => <Time at={askedAt} /> },
            {
              title: t("jobs.rows"),
              cell: ({ id }) => <a href={`../v1/jobs/${id}/rows.csv`}>{t("act.export")}</a>,
            },
          ]}
        />
      </div>
    </>
  );
}

function Approvals() {
  const { data, error, refetch } = useQuery(approvalsQuery);
  const open = data?.rows.filter(({ state }) => state === "waiting") ?? [];
  return (
    <Card title={t("jobs.approvals")}>
      {error && <Problem error={error} onAgain={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && open.length === 0 && <Notice>{t("empty.approvals")}</Notice>}
      <ul>
        {open.map((approval) => (
          <li key={approval.id} className="failure">
            <Approval approval={approval} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

/** The server says who may decide: what it refuses is shown with its reason. */
function Approval({ approval }: { readonly approval: Schemas["Approval"] }) {
  const [reason, setReason] = useState("");
  const id = useId();
  const decide = useMutation({
    mutationFn: (outcome: "approved" | "refused") =>
      api.POST("/v1/approvals/{id}", {
        params: { path: { id: approval.id } },
        body: { outcome, reason, digest: approval.digest },
      }),
    onSuccess: () => say(t("done.decision")),
    onError: (error) => say(error instanceof ApiProblem ? error.message : t("error.title")),
    onSettled: () => queries.invalidateQueries(),
  });
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const { submitter } = event.nativeEvent as SubmitEvent; // which of the two buttons: React's type does not know it
    decide.mutate(submitter?.getAttribute("value") === "approved" ? "approved" : "refused");
  };
  return (
    <form onSubmit={submit} className="stack">
      <div>
        <b lang="en">{approval.title}</b>
        <p className="muted">
          {t("jobs.asked_by")}: {approval.askedBy}. <span lang="en">{approval.reason}</span>
        </p>
        <p className="small muted">{t("order.deadline", { time: exactTime(approval.expiresAt) })}</p>
      </div>
      <div className="field">
        <label htmlFor={id}>{t("jobs.decision_reason")}</label>
        <input
          id={id}
          value={reason}
          required
          maxLength={500}
          onChange={({ target }) => setReason(target.value)}
        />
      </div>
      <div className="confirm-actions">
        <button type="submit" value="refused" className="button">
          {t("act.refuse")}
        </button>
        <button type="submit" value="approved" className="button">
          {t("act.approve")}
        </button>
      </div>
    </form>
  );
}
