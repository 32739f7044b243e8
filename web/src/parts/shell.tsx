/** Around every page: navigation, the palette, who is signed in, whether the server still answers. */
import { Drawer, Menu } from "@mantine/core";
import { IconMenu2, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { ApiProblem, api, onConnection } from "../api/client.ts";
import { queries, sessionQuery } from "../api/queries.ts";
import { chooseTheme, keep, THEMES } from "../look/theme.ts";
import { clockTime, isKey, language, t } from "../words/words.ts";
import { Icon } from "./icons.tsx";
import { Nav } from "./nav.tsx";
import { Loading } from "./parts.tsx";
import { Toast } from "./toast.tsx";

const Palette = lazy(() => import("./palette.tsx"));

export function Shell() {
  const { data: session, error } = useQuery(sessionQuery);
  const [isNavOpen, setNavOpen] = useState(false);
  const [isFinding, setFinding] = useState(false);
  const lostAt = useLost();
  useSignedOut(error);
  useKeys(() => setFinding(true));
  useFocusOnTitle();
  if (!session) return <Loading />;
  return (
    <>
      <button type="button" className="skip hidden" onClick={toContent}>
        {t("shell.skip")}
      </button>
      <header className="top">
        <button
          type="button"
          className="icon-button drawer-button"
          aria-label={t("nav.menu")}
          onClick={() => setNavOpen(true)}
        >
          <IconMenu2 size={18} stroke={1.5} aria-hidden="true" />
        </button>
        <Brand />
        <span className="operator">{session.operator}</span>
        <button
          type="button"
          className="find"
          aria-label={`${t("shell.find")} Ctrl K`}
          onClick={() => setFinding(true)}
        >
          <IconSearch size={16} stroke={1.5} aria-hidden="true" />
          <span>{t("shell.find")}</span>
          <kbd>Ctrl K</kbd>
        </button>
        <Live isLost={lostAt !== undefined} />
        <Account label={session.label} role={session.role} />
      </header>
      {lostAt !== undefined && (
        <div className="lost" role="status">
          <Icon name="wait" tone="wait" />
          {t("error.lost", { time: clockTime(lostAt) })}
        </div>
      )}
      <div className="shell">
        <div className="side">
          <Nav role={session.role} />
        </div>
        <main id="content">
          <Suspense fallback={<Loading />}>
            <Outlet />
          </Suspense>
        </main>
      </div>
      <Drawer
        opened={isNavOpen}
        onClose={() => setNavOpen(false)}
        title="Turnup"
        size={280}
        closeButtonProps={{ "aria-label": t("shell.close") }}
      >
        <Nav role={session.role} onGo={() => setNavOpen(false)} />
      </Drawer>
      {isFinding && (
        <Suspense>
          <Palette role={session.role} onClose={() => setFinding(false)} />
        </Suspense>
      )}
      <Toast />
    </>
  );
}

const Brand = () => (
  <Link to="/" className="brand" aria-label="Turnup">
    <svg className="icon" viewBox="0 0 20 20" aria-hidden="true">
      <path d="M16.6 8.2A7 7 0 1 1 11.8 3.4" strokeWidth="2.4" />
      <path d="M9.6 10.4 17 3m0 0h-4.4M17 3v4.4" strokeWidth="2" />
    </svg>
    <span>Turnup</span>
  </Link>
);

const Live = ({ isLost }: { readonly isLost: boolean }) => (
  <span className="live">
    <Icon name={isLost ? "wait" : "ok"} tone={isLost ? "wait" : "good"} />
    <span className="word">{t(isLost ? "shell.lost" : "shell.live")}</span>
  </span>
);

function Account({ label, role }: { readonly label: string; readonly role: string }) {
  const navigate = useNavigate();
  const roleKey = `role.${role}`;
  const signOut = async (): Promise<void> => {
    await api.DELETE("/v1/sessions/current");
    queries.clear();
    await navigate({ to: "/sign-in" });
  };
  const changeLanguage = (): void => {
    keep("turnup_language", language === "en" ? "de" : "en");
    location.reload();
  };
  return (
    <Menu position="bottom-end" width={240}>
      <Menu.Target>
        <button type="button" className="avatar" aria-label={`${t("shell.account")} ${initialsOf(label)}`}>
          {initialsOf(label)}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("shell.signed_in", { label, role: isKey(roleKey) ? t(roleKey) : role })}</Menu.Label>
        {THEMES.map((theme) => (
          <Menu.Item key={theme} onClick={() => chooseTheme(theme)}>
            {t(`shell.theme.${theme}`)}
          </Menu.Item>
        ))}
        <Menu.Item onClick={changeLanguage}>{t("shell.language")}</Menu.Item>
        <Menu.Item onClick={() => void signOut()}>{t("shell.sign_out")}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

const initialsOf = (label: string): string =>
  label
    .split(/[\s._-]+/)
    .slice(0, 2)
    .map((word) => word.charAt(0).toUpperCase())
    .join("") || "?";

/** Since when nothing comes back; undefined while answers come. */
function useLost(): string | undefined {
  const [lostAt, setLostAt] = useState<string>();
  useEffect(
    () =>
      onConnection((isLost) => {
        setLostAt((known) => (isLost ? (known ?? new Date().toISOString()) : undefined));
      }),
    [],
  );
  return lostAt;
}

/** A session that has ended leads to the sign-in, and back to where it was. */
function useSignedOut(error: unknown): void {
  const navigate = useNavigate();
  const href = useRouterState({ select: ({ location }) => location.href });
  useEffect(() => {
    if (error instanceof ApiProblem && error.status === 401)
      void navigate({ to: "/sign-in", search: { to: href } });
  }, [error, href, navigate]);
}

/** After a navigation what is read first is the page's title. */
function useFocusOnTitle(): void {
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  useEffect(() => {
    if (path !== undefined) document.querySelector<HTMLElement>("main h1")?.focus();
  }, [path]);
}

const GO: Readonly<Record<string, "/" | "/orders" | "/care" | "/audit" | "/explorer">> = {
  h: "/",
  o: "/orders",
  d: "/care",
  a: "/audit",
  x: "/explorer",
};
const SECOND_KEY_MS = 1_500;

/** Ctrl K or / finds; g and a letter goes. Letters do nothing while somebody writes. */
function useKeys(onFind: () => void): void {
  const navigate = useNavigate();
  useEffect(() => {
    let wentAt = 0;
    const onKey = (event: KeyboardEvent): void => {
      const isWriting =
        event.target instanceof HTMLElement &&
        event.target.matches("input, textarea, select, [role=dialog] *");
      if ((event.ctrlKey || event.metaKey) && event.key === "k") {
        event.preventDefault();
        onFind();
        return;
      }
      if (isWriting || event.ctrlKey || event.metaKey || event.altKey) return;
      const to = Date.now() - wentAt < SECOND_KEY_MS ? GO[event.key] : undefined;
      wentAt = event.key === "g" ? Date.now() : 0;
      if (event.key === "/") {
        event.preventDefault();
        onFind();
      } else if (to) void navigate({ to });
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [navigate, onFind]);
}

/** The page has a base address, so a link to `#content` would lead elsewhere. */
function toContent(): void {
  document.querySelector<HTMLElement>("main h1")?.focus();
}
