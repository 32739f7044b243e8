/** The alarm of refused credentials, and who is refused here, as lines of a log. */
import type { Logger } from "pino";
import type { CertificateNews } from "../certificates/certificate-watch.ts";
import type { MachineNews } from "./machine-watch.ts";
import type { RevocationNews } from "./revocation.ts";
import type { StrangerNews } from "./strangers.ts";

export const machineLog =
  (log: Pick<Logger, "error" | "info">) =>
  ({ kind, ...news }: MachineNews): void => {
    if (kind === "refused") log.error(news, "credentials refused");
    else log.info(news, "credentials taken again");
  };

/** Over, or soon: whoever runs the machine has to bring another. */
export const certificateLog =
  (log: Pick<Logger, "error" | "warn">) =>
  (news: CertificateNews): void => {
    if (news.state === "expires_soon") log.warn(news, "certificate expires");
    else log.error(news, "certificate not good");
  };

/** Lists and responders are somebody else's; what they do not say may let a caller in, or keep them out. */
export const revocationLog =
  (log: Pick<Logger, "warn">) =>
  (news: RevocationNews): void =>
    log.warn(news, "certificates not looked up");

/** A fact about strangers, and no fault of ours. */
export const strangersLog =
  (log: Pick<Logger, "info">) =>
  (news: StrangerNews): void =>
    log.info(news, "refused in the handshake");
