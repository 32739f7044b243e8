/** The port that a party listens on, as `--port` gives it. */
import { type CommandContext, UsageError } from "./command.ts";

/** 0 takes any free one. @throws UsageError */
export function portOption({ option }: CommandContext, standard: number): number {
  const given = option("port");
  if (given === undefined) return standard;
  const port = Number(given);
  if (!/^\d{1,5}$/.test(given) || port > 65_535) throw new UsageError("--port takes 0 to 65535.");
  return port;
}
