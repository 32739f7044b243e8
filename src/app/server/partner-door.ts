/** Opens the API's own door for partners and voice platforms, and changes its certificates while it is open. */
import type { FastifyInstance } from "fastify";
import { createPartnerDoor, type PartnerCertificates } from "../../http/partner-door.ts";
import type { RevocationCheck } from "../../http/revocation-check.ts";
import type { PartnerPlace } from "../config/partner-config.ts";
import { portOf, urlOf } from "./address.ts";
import type { ClosingStack } from "./closing-stack.ts";
import type { OnStranger } from "./strangers.ts";

/** Whose certificates stand for which tokens; those that count now. */
export type PartnersNow = { clients: PartnerCertificates };

export async function openPartnerDoor(
  closing: ClosingStack,
  app: FastifyInstance,
  { host, port, tls }: PartnerPlace,
  about: { readonly revocation: RevocationCheck; readonly onRefused: OnStranger },
) {
  const door = closing.use(createPartnerDoor({ app, tls, ...about }));
  await new Promise<void>((listening, failed) => {
    door.server.once("error", failed).listen(port, host, () => listening());
  });
  return { url: urlOf("https", host, portOf(door.server)), change: door.change };
}
