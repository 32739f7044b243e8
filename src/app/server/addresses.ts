/** Where this server is reached: by the configuration's word, or as it turns out once its doors are open. */
import { serverNameOf } from "../../proxy/servers.ts";
import type { Config } from "../config/config.ts";
import { landNameOf } from "./device-doors.ts";

export class Addresses {
  readonly #land: Config["land"];
  #landUrl: string | undefined;
  /** Of pages and links for subscribers; empty until it is known. */
  publicUrl: string;

  constructor({ land, http }: Pick<Config, "land" | "http">) {
    this.#land = land;
    this.publicUrl = http.publicUrl ?? "";
  }

  set landUrl(url: string | undefined) {
    this.#landUrl = url;
  }

  /** `host:port` by which devices address our door for proxies; null where there is none, or it is not known. */
  landName(): string | null {
    return landNameOf(this.#land, this.#landUrl);
  }

  /** Whether an item's provisioning server is this one. */
  isOwn(origin: string): boolean {
    return serverNameOf(origin) === this.landName();
  }
}
