/** What the configuration says about the door of the API. */
import { isIP } from "node:net";
import type { HttpOptions } from "../../http/server.ts";
import { TurnupError } from "../../term/error.ts";
import type { Config } from "./config.ts";

type FromConfig = Required<Pick<HttpOptions, "limits">> & Pick<HttpOptions, "trustProxy">;

/** @throws TurnupError `config_invalid`: a proxy that is no address and no network */
export function httpOptionsOf({ http }: Config): FromConfig {
  const { host: _host, port: _port, publicUrl: _publicUrl, trustProxy: _trustProxy, ...others } = http;
  const { sessionIdleMinutes: _idle, sessionHours: _hours, ...limits } = others;
  if (http.trustProxy === undefined) return { limits };
  const proxies = http.trustProxy
    .split(",")
    .map((proxy) => proxy.trim())
    .filter((proxy) => proxy !== "");
  for (const proxy of proxies) {
    if (isNetwork(proxy)) continue;
    throw new TurnupError("config_invalid", `http.trust_proxy = ${proxy} is no IP address and no network.`, {
      nextStep: "Write addresses like 192.0.2.7 or networks like 10.0.0.0/8, by commas.",
    });
  }
  return { limits, trustProxy: proxies };
}

function isNetwork(text: string): boolean {
  const [address = "", bits, ...others] = text.split("/");
  const version = isIP(address);
  if (version === 0 || others.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128));
}
