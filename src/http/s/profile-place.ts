/** Whether configuration profiles leave this server: they hold passwords, and a phone trusts what it loads. */
import { URL } from "node:url";

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** Over HTTPS; and to this machine itself, where demonstrations and tests run. */
export function isProfilePlace(publicUrl: string): boolean {
  if (!URL.canParse(publicUrl)) return false;
  const { protocol, hostname } = new URL(publicUrl);
  return protocol === "https:" || LOOPBACK.includes(hostname);
}
