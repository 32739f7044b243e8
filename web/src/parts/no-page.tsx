/** What an address shows that leads nowhere. */
import { Link } from "@tanstack/react-router";
import { t } from "../words/words.ts";
import { Notice, PageHead } from "./parts.tsx";

export const NoPage = () => (
  <main>
    <PageHead title={t("error.no_page")} />
    <Notice>
      <Link to="/" className="button">
        {t("nav.overview")}
      </Link>
    </Notice>
  </main>
);
