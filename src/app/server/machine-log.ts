/** The alarm of refused credentials, and who is refused here, as lines of a log. */
import type { Logger } from "pino";
import type { MachineNews } from "./machine-watch.ts";
import type { StrangerNews } from "./strangers.ts";

export const machineLog =
  (log: Pick<Logger, "error" | "info">) =>
  ({ kind, ...news }: MachineNews): void => {
    if (kind === "refused") log.error(news, "credentials refused");
    else log.info(news, "credentials taken again");
  };

/** A fact about strangers, and no fault of ours. */
export const strangersLog =
  (log: Pick<Logger, "info">) =>
  (news: StrangerNews): void =>
    log.info(news, "refused in the handshake");
