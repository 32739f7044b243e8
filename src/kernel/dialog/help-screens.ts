/** Help before anything is provisioned, and problems in plain words. */
import type { Entry, Screen } from "../../wire/screen/screen.ts";
import { nextOf } from "./request-screens.ts";
import { fill, textsIn } from "./texts.ts";
import { ENDED, type PortalView, type Step, screen, step } from "./view.ts";

/** R23: there before anything is provisioned, and it says where the user stands. */
export function helpScreen(view: PortalView): Screen {
  const here = step(view);
  const { texts, care, requests, at } = here;
  const [open] = requests.filter(({ state }) => !ENDED.includes(state));
  return screen(here, "help", texts.help, {
    text: [
      open
        ? fill(texts.helpWhere, { state: texts.states[open.state], reason: nextOf(open, texts) }).trim()
        : texts.helpNothingOpen,
      ...(care.phone
        ? [
            open
              ? fill(texts.helpCall, { phone: care.phone, reference: open.reference })
              : fill(texts.helpCallPlain, { phone: care.phone }),
          ]
        : []),
    ],
    entries: [
      ...(open
        ? [
            {
              label: fill(texts.request, { reference: open.reference }),
              href: at(`/d/orders/${open.reference}`),
            },
          ]
        : []),
      ...(care.url ? [{ label: texts.help, href: care.url }] : []),
    ],
  });
}

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
    nothing_to_answer: { label: texts.myRequests, href: view.at("/d/orders") },
  };
  const lead = leads[code];
  const title = code === "assurance_too_low" ? texts.signIn : texts.problem;
  return screen(here, "problem", title, { text: [why], ...(lead ? { entries: [lead] } : {}) });
}
