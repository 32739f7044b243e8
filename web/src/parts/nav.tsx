/** The pages by what they are for; a role sees those that it may open. */
import {
  IconAntenna,
  IconBinary,
  IconDeviceDesktop,
  IconHeadset,
  IconLayoutGrid,
  IconList,
  IconListCheck,
  IconNotes,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { Schemas } from "../api/client.ts";
import { t, type WordKey } from "../words/words.ts";

type Role = Schemas["Session"]["role"];
type Entry = {
  readonly to: "/" | "/orders" | "/care" | "/explorer" | "/access-points" | "/jobs" | "/audit" | "/sessions";
  readonly key: WordKey;
  readonly icon: typeof IconList;
  readonly roles: readonly Role[];
};
const ALL: readonly Role[] = ["admin", "engineer", "care"];
const TECHNICAL: readonly Role[] = ["admin", "engineer"];
const ADMIN: readonly Role[] = ["admin"];

const GROUPS: readonly { readonly key?: WordKey; readonly entries: readonly Entry[] }[] = [
  {
    entries: [
      { to: "/", key: "nav.overview", icon: IconLayoutGrid, roles: ALL },
      { to: "/orders", key: "nav.orders", icon: IconList, roles: ALL },
      { to: "/care", key: "nav.care", icon: IconHeadset, roles: ALL },
    ],
  },
  {
    key: "nav.group.network",
    entries: [
      { to: "/access-points", key: "nav.access_points", icon: IconAntenna, roles: TECHNICAL },
      { to: "/explorer", key: "nav.explorer", icon: IconBinary, roles: TECHNICAL },
    ],
  },
  {
    key: "nav.group.house",
    entries: [
      { to: "/jobs", key: "nav.jobs", icon: IconListCheck, roles: TECHNICAL },
      { to: "/audit", key: "nav.audit", icon: IconNotes, roles: ADMIN },
      { to: "/sessions", key: "nav.sessions", icon: IconDeviceDesktop, roles: ADMIN },
    ],
  },
];

const mayOpen = (role: string) => (entry: Entry) => entry.roles.some((one) => one === role);
/** Those that a role may open, in one list: for the palette. */
export const entriesFor = (role: string): readonly Entry[] =>
  GROUPS.flatMap(({ entries }) => entries).filter(mayOpen(role));

export function Nav({ role, onGo }: { readonly role: string; readonly onGo?: () => void }) {
  return (
    <nav className="nav" aria-label={t("nav.label")}>
      {GROUPS.map(({ key, entries }) => {
        const open = entries.filter(mayOpen(role));
        if (open.length === 0) return null;
        return (
          <div key={key ?? "first"}>
            {key && <h2 className="nav-group">{t(key)}</h2>}
            <ul>
              {open.map(({ to, key: word, icon: Icon }) => (
                <li key={to}>
                  <Link
                    to={to}
                    activeOptions={{ exact: to === "/", includeSearch: false }}
                    {...(onGo && { onClick: onGo })}
                  >
                    <Icon size={16} stroke={1.5} aria-hidden="true" />
                    {t(word)}
                  </Link>
                </li>
              ))}
            </ul>
          </div>
        );
      })}
    </nav>
  );
}
