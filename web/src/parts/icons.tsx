/** Icons of states: proof has a shape. A word always stands beside, so they are hidden from whoever listens. */
import type { ReactNode } from "react";

export type StateIcon =
  | "none"
  | "quarter"
  | "half"
  | "three"
  | "ok"
  | "part"
  | "wait"
  | "bad"
  | "no"
  | "off"
  | "late"
  | "paid";

const ring = <circle cx="8" cy="8" r="6.25" />;
const tick = "M5 8.3 7.2 10.4 11 6";
const pie = (length: string): ReactNode => (
  <>
    {ring}
    <circle
      cx="8"
      cy="8"
      r="2"
      strokeWidth="4"
      strokeLinecap="butt"
      strokeDasharray={`${length} 20`}
      transform="rotate(-90 8 8)"
    />
  </>
);
const octagon = "M5.1 1h5.8L15 5.1v5.8L10.9 15H5.1L1 10.9V5.1Z";

const SHAPES: Readonly<Record<StateIcon, ReactNode>> = {
  none: <circle cx="8" cy="8" r="6" strokeDasharray="2.2 2.5" />,
  quarter: pie("3.14"),
  half: pie("6.28"),
  three: pie("9.42"),
  ok: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" stroke="none" />
      <path d={tick} stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
  part: (
    <>
      {ring}
      <path d={tick} />
    </>
  ),
  wait: (
    <>
      <path d="M8 .9 15.1 8 8 15.1.9 8Z" />
      <path d="M6.6 6v4M9.4 6v4" />
    </>
  ),
  bad: (
    <>
      <path d={octagon} fill="currentColor" stroke="none" />
      <path d="m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
  no: (
    <>
      <path d={octagon} />
      <path d="M5 8h6" />
    </>
  ),
  off: (
    <>
      {ring}
      <path d="M5 8h6" />
    </>
  ),
  late: (
    <>
      {ring}
      <path d="M8 4.3V8l2.5 1.7" />
    </>
  ),
  paid: (
    <>
      <rect x="1.5" y="1.5" width="13" height="13" rx="3" fill="currentColor" stroke="none" />
      <path d={tick} stroke="var(--surface)" strokeWidth="1.7" />
    </>
  ),
};

export const Icon = ({ name, tone }: { readonly name: StateIcon; readonly tone?: string }) => (
  <svg className={`icon ${tone ?? ""}`} viewBox="0 0 16 16" aria-hidden="true">
    {SHAPES[name]}
  </svg>
);
