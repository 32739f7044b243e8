/** Small parts of every page: times, buttons with their reason, problems, what is shown while there is nothing to show. */
import { type ReactNode, useSyncExternalStore } from "react";
import { ApiProblem } from "../api/client.ts";
import { exactTime, relative, t } from "../words/words.ts";
import { Icon } from "./icons.tsx";

const TICK_MS = 1_000;
let nowMs = Date.now();
/** One clock for all times on the page. */
function subscribe(changed: () => void): () => void {
  const timer = setInterval(() => {
    nowMs = Date.now();
    changed();
  }, TICK_MS);
  return () => clearInterval(timer);
}
const useNow = (): number => useSyncExternalStore(subscribe, () => nowMs);

/** Relative; exact with its zone on hover. */
export function Time({ at }: { readonly at: string }) {
  const now = useNow();
  return (
    <time dateTime={at} title={exactTime(at)}>
      {relative(at, now)}
    </time>
  );
}

type ButtonProps = {
  readonly children: ReactNode;
  readonly onPress: () => void;
  readonly isPrimary?: boolean;
  /** Why it is not possible: it stays where it is, can be reached, and says so. */
  readonly whyNot?: string | undefined;
};
export function Button({ children, onPress, isPrimary = false, whyNot }: ButtonProps) {
  return (
    <button
      type="button"
      className={`button ${isPrimary ? "primary" : ""}`}
      aria-disabled={whyNot !== undefined}
      title={whyNot}
      onClick={() => whyNot === undefined && onPress()}
    >
      {children}
      {whyNot !== undefined && <span className="hidden">{whyNot}</span>}
    </button>
  );
}

export function Card({
  title,
  aside,
  children,
}: {
  readonly title: string;
  readonly aside?: ReactNode;
  readonly children: ReactNode;
}) {
  return (
    <section className="card" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** A problem in a sentence, with its code and what to do. */
export function Problem({ error, onAgain }: { readonly error: unknown; readonly onAgain?: () => void }) {
  return (
    <div className="problem" role="alert">
      <Icon name="bad" tone="bad" />
      <div>
        <p>{sentenceOf(error)}</p>
        {error instanceof ApiProblem && error.nextStep !== undefined && <p lang="en">{error.nextStep}</p>}
        {error instanceof ApiProblem && <p className="small">{t("error.code", { code: error.code })}</p>}
      </div>
      {onAgain && (
        <button type="button" className="button" onClick={onAgain}>
          {t("error.again")}
        </button>
      )}
    </div>
  );
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof ApiProblem)) return t("error.title");
  if (error.status >= 500) return t("error.fault", { ref: error.instance ?? "" });
  if (error.code === "order_not_found") return t("error.not_found");
  return error.message === "" ? t("error.title") : error.message;
}

export const Notice = ({ children }: { readonly children: ReactNode }) => (
  <div className="notice">{children}</div>
);
export const Loading = () => <Notice>{t("loading")} …</Notice>;

/** The page's title, in the window and as what is read first after a navigation. */
export function PageHead({
  title,
  children,
  actions,
}: {
  readonly title: string;
  readonly children?: ReactNode;
  readonly actions?: ReactNode;
}) {
  return (
    <div className="page-head">
      <title>{`${title} - Turnup`}</title>
      <h1 tabIndex={-1}>{title}</h1>
      {children}
      {actions && <div className="actions">{actions}</div>}
    </div>
  );
}
