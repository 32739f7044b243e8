/** Who is signed in; a session can be ended, and is refused from its next request on. */
import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { ApiProblem, api, dataOf } from "../api/client.ts";
import { PAGE_ROWS, queries } from "../api/queries.ts";
import { Confirm } from "../parts/confirm.tsx";
import { PagedTable } from "../parts/paged-table.tsx";
import { Button, PageHead, Time } from "../parts/parts.tsx";
import { say } from "../parts/toast.tsx";
import { isKey, t } from "../words/words.ts";

export function SessionsPage() {
  const [ending, setEnding] = useState<string>();
  const list = useInfiniteQuery({
    queryKey: ["sessions"],
    queryFn: ({ pageParam }) =>
      dataOf(
        api.GET("/v1/sessions", {
          params: { query: { limit: PAGE_ROWS, ...(pageParam !== null && { cursor: pageParam }) } },
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: ({ nextCursor }) => nextCursor,
  });
  const end = useMutation({
    mutationFn: (id: string) => api.DELETE("/v1/sessions/{id}", { params: { path: { id } } }),
    onSuccess: () => say(t("done.session")),
    onError: (error) => say(error instanceof ApiProblem ? error.message : t("error.title")),
    onSettled: () => queries.invalidateQueries(),
  });
  return (
    <>
      <PageHead title={t("sessions.title")} />
      <PagedTable
        label={t("sessions.title")}
        list={list}
        empty=""
        keyOf={({ id }) => id}
        columns={[
          { title: t("sessions.who"), cell: ({ label, person }) => person ?? label },
          { title: t("sessions.role"), cell: ({ role }) => roleWord(role) },
          {
            title: t("sessions.browser"),
            cell: ({ browser }) => <span className="small muted">{browser}</span>,
            className: "wide",
          },
          { title: t("sessions.since"), cell: ({ createdAt }) => <Time at={createdAt} /> },
          { title: t("sessions.last"), cell: ({ lastSeenAt }) => <Time at={lastSeenAt} /> },
          {
            title: t("sessions.end"),
            cell: ({ id }) => <Button onPress={() => setEnding(id)}>{t("sessions.end")}</Button>,
          },
        ]}
      />
      <Confirm
        title={t("sessions.ask")}
        text={t("sessions.ask.text")}
        action={t("sessions.end")}
        isOpen={ending !== undefined}
        onClose={() => setEnding(undefined)}
        onConfirm={() => {
          if (ending !== undefined) end.mutate(ending);
          setEnding(undefined);
        }}
      />
    </>
  );
}

function roleWord(role: string): string {
  const key = `role.${role}`;
  return isKey(key) ? t(key) : role;
}
