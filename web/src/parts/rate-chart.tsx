/** Orders over time, drawn by uPlot: loaded when it is looked at. Series differ in dashes too, not in colour alone. */
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "react";
import UPlot from "uplot";
import type { Schemas } from "../api/client.ts";
import { language, t } from "../words/words.ts";

const HEIGHT = 220;
const DASHES = [[], [6, 3], [2, 3]];

type Overview = Pick<Schemas["Overview"], "rate" | "since" | "stepSeconds">;
type Point = Overview["rate"][number];

/** Every interval of the span: one in which nothing came is a nought, which the server leaves out. */
function wholeOf({ rate, since, stepSeconds }: Overview): Point[] {
  const stepMs = stepSeconds * 1_000;
  const known = new Map(rate.map((point) => [Date.parse(point.at), point]));
  const points: Point[] = [];
  for (let at = Math.ceil(Date.parse(since) / stepMs) * stepMs; at <= Date.now(); at += stepMs)
    points.push(known.get(at) ?? { at: new Date(at).toISOString(), seen: 0, done: 0, failed: 0 });
  return points;
}

export default function RateChart({ overview }: { readonly overview: Overview }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const style = getComputedStyle(element);
    const token = (name: string): string => style.getPropertyValue(name);
    const probe = document.createElement("span");
    element.append(probe);
    const colourOf = (name: string): string => {
      probe.style.color = token(name);
      return getComputedStyle(probe).color;
    };
    const colours = ["--c1", "--c3", "--c2"].map(colourOf);
    const [muted, grid] = [colourOf("--muted"), colourOf("--grid")];
    probe.remove();
    const axis = {
      font: `12px ${style.fontFamily}`,
      stroke: muted,
      grid: { stroke: grid, width: 1 },
      ticks: { stroke: grid, width: 1 },
    };
    const names = [t("overview.rate.seen"), t("overview.rate.done"), t("overview.rate.failed")];
    const points = wholeOf(overview);
    const hour = new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" });
    const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short" });
    const isLong = overview.stepSeconds > 3_600;
    const plot = new UPlot(
      {
        width: element.clientWidth,
        height: HEIGHT,
        axes: [
          { ...axis, values: (_plot, at) => at.map((one) => (isLong ? day : hour).format(one * 1_000)) },
          { ...axis, size: 44 },
        ],
        scales: { y: { range: (_plot, _low, high) => [0, Math.max(4, Math.ceil(high * 1.1))] } },
        series: [
          {},
          ...names.map((label, at) => ({
            label,
            stroke: colours[at] ?? "",
            width: 2,
            dash: DASHES[at] ?? [],
            points: { show: points.length < 30 },
          })),
        ],
      },
      [
        points.map(({ at }) => Date.parse(at) / 1_000),
        points.map(({ seen }) => seen),
        points.map(({ done }) => done),
        points.map(({ failed }) => failed),
      ],
      element,
    );
    const resize = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      plot.destroy();
    };
  }, [overview]);
  return <div ref={box} role="img" aria-label={t("overview.rate")} />;
}
