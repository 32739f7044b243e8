/** The care desk's door: the caller's number goes out in a body; the page that follows bears no number in its address. */
import { useMutation } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type FormEvent, useRef } from "react";
import { ApiProblem, api, dataOf } from "../api/client.ts";
import { PageHead, Problem } from "../parts/parts.tsx";
import { t } from "../words/words.ts";

export function CarePage() {
  const navigate = useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const find = useMutation({
    mutationFn: (number: string) => dataOf(api.POST("/v1/care/look-ups", { body: { number } })),
    onSuccess: ({ subscriberId }) => navigate({ to: "/care/$subscriberId", params: { subscriberId } }),
  });
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const number = field.current?.value.replace(/[\s()-]/g, "") ?? "";
    if (number !== "") find.mutate(number);
  };
  const isUnknown = find.error instanceof ApiProblem && find.error.code === "subscriber_not_found";
  return (
    <>
      <PageHead title={t("care.title")} />
      <div className="stack care-number">
        <form onSubmit={submit}>
          <div className="field">
            <label htmlFor="caller">{t("care.number")}</label>
            <input
              id="caller"
              ref={field}
              inputMode="tel"
              autoComplete="off"
              aria-describedby="caller-hint"
            />
          </div>
          <button type="submit" className="button primary">
            {t("care.find")}
          </button>
        </form>
        <p id="caller-hint" className="small muted">
          {t("care.number.hint")}
        </p>
        {isUnknown && <p role="alert">{t("care.none")}</p>}
        {find.error && !isUnknown && <Problem error={find.error} />}
      </div>
    </>
  );
}
