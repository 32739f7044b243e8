/** The alarm of refused credentials as lines of a log. */
import type { Logger } from "pino";
import type { MachineNews } from "./machine-watch.ts";

export const machineLog =
  (log: Pick<Logger, "error" | "info">) =>
  ({ kind, ...news }: MachineNews): void => {
    if (kind === "refused") log.error(news, "credentials refused");
    else log.info(news, "credentials taken again");
  };
