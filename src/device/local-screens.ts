/**
 * Screens that the device draws of its own, without any server: its menu, what it waits for, what went wrong, notices that came
 * by SMS. Their addresses begin with /~/ and never leave the device.
 */
import type { NoticeKind } from "../wire/message/notice.ts";
import { type Action, type Entry, SCREEN_LIMITS, type Screen } from "../wire/screen/screen.ts";
import type { AddressBook } from "./address-book.ts";
import type { IdentityFault } from "./identity.ts";

const LOCAL = {
  home: "/~/home",
  start: "/~/start",
  again: "/~/again",
  messages: "/~/messages",
  installed: "/~/installed",
  addresses: "/~/addresses",
  care: "/~/care",
  dismiss: "/~/dismiss",
  order: (reference: string) => `/~/order/${reference}`,
  answer: (answer: AlertAnswer) => `/~/answer/${answer}`,
} as const;
type AlertAnswer = "accept" | "decline" | "retransmit" | "give_up";
export const ALERT_ANSWERS: readonly AlertAnswer[] = ["accept", "decline", "retransmit", "give_up"];

/** What of a notice the user sees and may answer. */
export type Alert = {
  readonly messageId: string;
  readonly kind: NoticeKind;
  readonly reference: string;
  readonly itemId: string | null;
  readonly text: string;
  readonly fields: Readonly<Record<string, string>>;
  /** `host:port` of the server that wrote it; null or undefined where it did not say. */
  readonly server?: string | null;
  /** Number that it came from. */
  readonly from?: string;
};
export type Problem = "no_connection" | "unreadable" | "not_sent" | "foreign_address";

export type AppWords = {
  readonly lang: string;
  readonly home: string;
  readonly change: string;
  readonly request: string;
  readonly messages: string;
  readonly noMessages: string;
  readonly installed: string;
  readonly nothingInstalled: string;
  readonly addresses: string;
  readonly help: string;
  readonly call: string;
  readonly wait: string;
  readonly cancel: string;
  readonly problem: string;
  readonly problems: Readonly<Record<Problem, string>>;
  readonly unready: string;
  readonly faults: Readonly<Record<IdentityFault, string>>;
  readonly again: string;
  readonly accept: string;
  readonly decline: string;
  readonly retransmit: string;
  readonly giveUp: string;
  readonly show: string;
  readonly titles: Readonly<Record<NoticeKind, string>>;
};

export const ENGLISH_APP: AppWords = {
  lang: "en",
  home: "Ready",
  change: "Services",
  request: "Request",
  messages: "Messages",
  noMessages: "No messages",
  installed: "On this device",
  nothingInstalled: "Nothing yet",
  addresses: "Addresses",
  help: "Help",
  call: "Call",
  wait: "Please wait",
  cancel: "Cancel",
  problem: "Problem",
  problems: {
    no_connection: "No connection. Nothing was lost.",
    unreadable: "The answer could not be read.",
    not_sent: "It could not be sent. Nothing was lost.",
    foreign_address: "This address is not safe to use.",
  },
  unready: "Cannot start",
  faults: {
    imei_wrong: "The device number in this device is wrong.",
    imsi_wrong: "The SIM cannot be read.",
    provisioning_uri_missing: "This device has no address of a provisioning server.",
    provisioning_uri_wrong: "The address of the provisioning server is wrong.",
    proxy_uri_missing: "This device has no address of a proxy.",
    proxy_uri_wrong: "The address of the proxy is wrong.",
  },
  again: "Try again",
  accept: "Accept",
  decline: "Decline",
  retransmit: "Send again",
  giveUp: "Give up",
  show: "Show",
  titles: {
    terms: "Terms",
    status: "Status",
    content_ready: "Software",
    content: "Software",
    access_data: "Access data",
    offer: "Offer",
    needs_information: "More needed",
    choice: "Failed",
    done: "Done",
    unavailable: "Not available",
    conflict: "Conflict",
    declined: "Declined",
  },
};

type Parts = Partial<Pick<Screen, "text" | "entries" | "actions">>;
const screen = (words: AppWords, id: string, title: string, parts: Parts): Screen => ({
  id,
  title,
  lang: words.lang,
  text: [],
  entries: [],
  actions: [],
  ...parts,
});

export function homeScreen(words: AppWords, references: readonly string[], hasMessages: boolean): Screen {
  const entries: Entry[] = [
    { label: words.change, href: LOCAL.start },
    ...references.map((reference) => ({
      label: `${words.request} ${reference}`,
      href: LOCAL.order(reference),
    })),
    ...(hasMessages ? [{ label: words.messages, href: LOCAL.messages }] : []),
    { label: words.installed, href: LOCAL.installed },
    { label: words.addresses, href: LOCAL.addresses },
    { label: words.help, href: LOCAL.care },
  ];
  return screen(words, "home", words.home, { entries });
}

const toHome = (words: AppWords): Action => ({ role: "home", label: words.home, href: LOCAL.home });
const back: (words: AppWords) => Action = (words) => ({
  role: "back",
  label: words.cancel,
  href: LOCAL.dismiss,
});

export const waitScreen = (words: AppWords): Screen =>
  screen(words, "wait", words.wait, { text: ["..."], actions: [back(words)] });

export const problemScreen = (words: AppWords, problem: Problem, canRepeat: boolean): Screen =>
  screen(words, "problem", words.problem, {
    text: [words.problems[problem]],
    actions: [
      ...(canRepeat ? [{ role: "refresh", label: words.again, href: LOCAL.again } as const] : []),
      toHome(words),
    ],
  });

/** With help: who cannot start needs it most (column 5: E-CARE can be reached before anything is provisioned). */
export const unreadyScreen = (words: AppWords, fault: IdentityFault): Screen =>
  screen(words, "unready", words.unready, {
    text: [words.faults[fault]],
    entries: [{ label: words.help, href: LOCAL.care }],
  });

export const messagesScreen = (words: AppWords, messages: readonly { readonly text: string }[]): Screen =>
  screen(words, "messages", words.messages, {
    text:
      messages.length > 0
        ? messages.toReversed().flatMap(({ text }) => paragraphs(text))
        : [words.noMessages],
    actions: [toHome(words)],
  });

export const installedScreen = (words: AppWords, names: readonly string[]): Screen =>
  screen(words, "installed", words.installed, {
    text: names.length > 0 ? names.slice(0, SCREEN_LIMITS.paragraphs) : [words.nothingInstalled],
    actions: [toHome(words)],
  });

export const addressesScreen = (words: AppWords, book: AddressBook): Screen =>
  screen(words, "addresses", words.addresses, {
    text: book.slice(0, SCREEN_LIMITS.paragraphs).map(({ name, number }) => `${name} ${number}`),
    actions: [toHome(words)],
  });

/** The customer care centre that the maker put into the address book. */
export const careScreen = (words: AppWords, book: AddressBook): Screen =>
  screen(words, "care", words.help, {
    text: book
      .filter(({ origin }) => origin === "factory")
      .map(({ name, number }) => `${words.call} ${name}: ${number}`),
    actions: [toHome(words)],
  });

/** A notice with what can be answered to it from here. One whose text was cut is read in full on the server's screen first. */
export function alertScreen(words: AppWords, alert: Alert): Screen {
  const { kind, text, fields, reference } = alert;
  const show: Action = { role: "more", label: words.show, href: LOCAL.order(reference) };
  const yes = (label: string, answer: AlertAnswer): Action => ({
    role: "accept",
    label,
    href: LOCAL.answer(answer),
  });
  const no = (label: string, answer: AlertAnswer): Action => ({
    role: "decline",
    label,
    href: LOCAL.answer(answer),
  });
  const choices: Partial<Record<NoticeKind, readonly Action[]>> = {
    terms: isCut(text) ? [show] : [yes(words.accept, "accept"), no(words.decline, "decline")],
    offer: [yes(words.accept, "accept"), no(words.decline, "decline")],
    choice: [yes(words.retransmit, "retransmit"), no(words.giveUp, "give_up")],
    needs_information: [show],
    done: [show],
  };
  // The text may hold them already: nobody reads a password twice.
  const untold =
    kind === "access_data" ? Object.entries(fields).filter(([, value]) => !text.includes(value)) : [];
  const values = untold.map(([name, value]) => `${name}: ${value}`);
  return screen(words, `notice-${kind}`, words.titles[kind], {
    text: [...paragraphs(text), ...values.flatMap(paragraphs)],
    actions: [...(choices[kind] ?? []), back(words)],
  });
}

const isCut = (text: string): boolean => text.endsWith("…");

/** Lines of a text as paragraphs of a screen, which hold no line ends and are never empty. */
const paragraphs = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
