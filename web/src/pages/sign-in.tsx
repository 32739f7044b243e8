/** A token, or a link that is good once, for a session. The token is forgotten as soon as it was shown. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { api } from "../api/client.ts";
import { queries } from "../api/queries.ts";
import { Problem } from "../parts/parts.tsx";
import { t } from "../words/words.ts";

const LINK = /^#link=([A-Za-z0-9_-]{43})$/;

export function SignIn() {
  const { to = "/" } = useSearch({ from: "/sign-in" });
  const navigate = useNavigate();
  const [problem, setProblem] = useState<unknown>();
  const [isByLink, setByLink] = useState(LINK.test(location.hash));
  const field = useRef<HTMLInputElement>(null);

  const enter = async (open: () => Promise<unknown>): Promise<void> => {
    setProblem(undefined);
    try {
      await open();
      queries.clear();
      await navigate({ href: to });
    } catch (error) {
      setByLink(false);
      setProblem(error);
    }
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the page opens
  useEffect(() => {
    const [, link] = LINK.exec(location.hash) ?? [];
    if (link === undefined) return;
    history.replaceState(null, "", location.pathname + location.search); // it is spent; it need not stay in the history
    void enter(() => api.POST("/v1/sessions/by-link", { body: { link } }));
  }, []);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    if (token === "") return;
    void enter(() => api.POST("/v1/sessions", { headers: { authorization: `Bearer ${token}` } }));
  };

  return (
    <main className="sign-in">
      <title>{`${t("sign_in.title")} - Turnup`}</title>
      <h1>{t("sign_in.title")}</h1>
      {isByLink ? (
        <p role="status">{t("sign_in.link")} …</p>
      ) : (
        <form onSubmit={submit} className="card">
          {to !== "/" && <p>{t("error.signed_out")}</p>}
          <div className="field">
            <label htmlFor="token">{t("sign_in.token")}</label>
            <input id="token" ref={field} type="password" autoComplete="off" aria-describedby="token-hint" />
            <p id="token-hint" className="small muted">
              {t("sign_in.hint")}
            </p>
          </div>
          <button type="submit" className="button primary">
            {t("sign_in.go")}
          </button>
          {problem !== undefined && <Problem error={problem} />}
          <p className="small muted">{t("sign_in.where")}</p>
        </form>
      )}
    </main>
  );
}
