/** Voice platforms that are known by their address, since some set no headers: they bring callers of this portal's operator. */
import { isIP } from "node:net";
import type { RequestDeps } from "../../http/ports.ts";
import { plainAddress } from "../../proxy/gateway-identity.ts";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "../config/config.ts";
import type { PortalOperators } from "./device-doors.ts";

/** @throws TurnupError `config_invalid`: what is no address */
export function voicePlatformsIn({
  voicePlatforms = "",
}: Pick<Config["portal"], "voicePlatforms">): Set<string> {
  const addresses = voicePlatforms
    .split(",")
    .map((address) => address.trim())
    .filter((address) => address !== "");
  const wrong = addresses.find((address) => isIP(address) === 0);
  if (wrong !== undefined) {
    throw new TurnupError("config_invalid", `portal.voice_platforms = ${wrong} is no IP address.`, {
      nextStep: "Write addresses like 192.0.2.7, by commas.",
    });
  }
  return new Set(addresses.map(plainAddress));
}

/** @throws TurnupError `config_invalid`: what is no address */
export function voicePlatformFinder(
  portal: Pick<Config["portal"], "voicePlatforms">,
  operators: Pick<PortalOperators, "at">,
): NonNullable<RequestDeps["voicePlatformAt"]> {
  const known = voicePlatformsIn(portal);
  return async (address) => {
    if (!known.has(plainAddress(address))) return undefined;
    const operator = await operators.at({ host: "" });
    return operator && { operatorId: operator.id, name: "voice platform" };
  };
}
