/** The operator's own access points: what phones are given, for which network, used for what. */
import { useQuery } from "@tanstack/react-query";
import { api, dataOf, type Schemas } from "../api/client.ts";
import { Rows } from "../parts/paged-table.tsx";
import { Loading, Notice, PageHead, Problem } from "../parts/parts.tsx";
import { t } from "../words/words.ts";

export function AccessPointsPage() {
  const { data, error, refetch } = useQuery({
    queryKey: ["access-points"],
    queryFn: () => dataOf(api.GET("/v1/access-points")),
  });
  return (
    <>
      <PageHead title={t("access_points.title")} />
      {error && <Problem error={error} onAgain={() => void refetch()} />}
      {!data && !error && <Loading />}
      {data && (
        <div className="table-wrap">
          {data.accessPoints.length === 0 ? (
            <Notice>{t("empty.access_points")}</Notice>
          ) : (
            <Rows
              label={t("access_points.title")}
              rows={data.accessPoints}
              keyOf={({ id }) => id}
              columns={[
                { title: t("access_points.name"), cell: ({ name }) => name },
                { title: t("access_points.apn"), cell: ({ apn }) => <span className="mono">{apn}</span> },
                { title: t("access_points.uses"), cell: ({ uses }) => uses.join(", ") },
                { title: t("access_points.network"), cell: networkOf },
                {
                  title: t("access_points.source"),
                  cell: ({ source }) => `${source.name}, ${source.version}`,
                  className: "wide",
                },
              ]}
            />
          )}
        </div>
      )}
    </>
  );
}

/** Whose SIMs it is for; the API describes it as anything, since shipped rows have more ways to say it. */
function networkOf({ criteria }: Schemas["AccessPoint"]): string {
  if (typeof criteria !== "object" || criteria === null) return "";
  return ["mcc" in criteria ? criteria.mcc : "", "mnc" in criteria ? criteria.mnc : ""].join("-");
}
