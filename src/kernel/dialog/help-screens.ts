/** Problems in plain words. */
import type { Entry, Screen } from "../../wire/screen/screen.ts";
import { fill, textsIn } from "./texts.ts";
import { type PortalView, type Step, screen } from "./view.ts";

/** In plain words: what happened and what can be done; codes are for logs. */
export function problemScreen(
  view: Pick<PortalView, "language" | "at" | "operatorName">,
  code: string,
  signIn = "/d/sign-in",
  /** How long whoever asked too often has to wait. */
  waitSeconds = 60,
): Screen {
  const texts = textsIn(view.language);
  const here = { ...view, texts } as Step; // a problem needs nothing else of who asks
  const minutes = String(Math.max(1, Math.ceil(waitSeconds / 60)));
  const why = fill(texts.problems[code] ?? texts.problems.other ?? code, { minutes });
  const leads: Readonly<Record<string, Entry>> = {
    assurance_too_low: { label: texts.signIn, href: view.at(signIn), lead: true },
    link_over: { label: texts.signIn, href: view.at(signIn), lead: true },
    request_in_progress: { label: texts.myRequests, href: view.at("/d/orders") },
    care_limit_reached: { label: texts.help, href: view.at("/d/help") },
    nothing_to_resend: { label: texts.help, href: view.at("/d/help") },
    nothing_to_answer: { label: texts.myRequests, href: view.at("/d/orders") },
  };
  const lead = leads[code];
  const title = code === "assurance_too_low" ? texts.signIn : texts.problem;
  return screen(here, "problem", title, { text: [why], ...(lead ? { entries: [lead] } : {}) });
}
