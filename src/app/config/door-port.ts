/** Doors that are there when their port is: files of one without it open nothing, and whoever gave them believes that it is open. */
import { TurnupError } from "../../term/error.ts";

/**
 * Whether a section's door is to be opened.
 * @param files settings of the section that only an open door has a use for
 * @throws TurnupError `config_invalid`: some of them are given, and no port
 */
export function hasPort<Door extends { readonly port: number | undefined }>(
  section: string,
  door: Door,
  files: readonly (keyof Door & string)[],
  portName = "port",
): door is Door & { readonly port: number } {
  if (door.port !== undefined) return true;
  const given = files.filter((name) => door[name] !== undefined).map((name) => `${section}.${snake(name)}`);
  if (given.length === 0) return false;
  throw new TurnupError(
    "config_invalid",
    `${given.join(" and ")} ${given.length === 1 ? "is" : "are"} set, and ${section}.${portName} is not: nobody would be served there.`,
    {
      nextStep: `Give ${section}.${portName}, or none of ${portName === "port" ? "the settings of its section" : "them"}.`,
    },
  );
}

const snake = (key: string): string => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

type Listening = { readonly name: string; readonly host: string; readonly port: number | undefined };

/**
 * Two doors on one port of one address: the second could not be opened.
 * @throws TurnupError `config_invalid` naming both
 */
export function checkApart(doors: readonly Listening[]): void {
  const fixed = doors.flatMap(({ port, ...door }) => (port ? [{ ...door, port }] : [])); // 0 takes any free one
  for (const [at, one] of fixed.entries()) {
    const other = fixed
      .slice(0, at)
      .find((before) => before.port === one.port && meet(before.host, one.host));
    if (!other) continue;
    throw new TurnupError(
      "config_invalid",
      `${other.name} and ${one.name} are both ${one.port} at ${one.host}: two doors cannot share a port.`,
      { nextStep: "Give one of them another port, or another address of this machine." },
    );
  }
}

const EVERYWHERE = ["0.0.0.0", "::"];
const meet = (one: string, other: string): boolean =>
  plain(one) === plain(other) || EVERYWHERE.includes(one) || EVERYWHERE.includes(other);
const plain = (host: string): string => host.toLowerCase().replace(/^localhost$/, "127.0.0.1");
