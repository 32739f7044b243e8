/**
 * How far long work has come, on stderr: a bar redrawn in place on a terminal, elsewhere a line of counts every few
 * seconds, so that a log of a night's import stays short.
 */
import { barOf } from "./terminal.ts";

const REDRAW_MS = 100;
const LINE_MS = 5_000;

export type Progress = {
  /** `total` null: not known, as with a pipe. */
  update(done: number, total: number | null, name?: string): void;
  /** Takes the bar off the screen, so that a line can be written. */
  clear(): void;
};

type Screen = NodeJS.WritableStream & { readonly isTTY?: boolean };

export function progressOn(screen: Screen, title: string): Progress {
  let shown = false;
  let toldAt = performance.now();
  const clear = (): void => {
    if (shown) screen.write("\r\u001b[2K");
    shown = false;
  };
  return {
    update(done, total, name = "") {
      const now = performance.now();
      if (now - toldAt < (screen.isTTY ? REDRAW_MS : LINE_MS)) return;
      toldAt = now;
      const counts = `${done.toLocaleString("en")}${total === null ? "" : ` of ${total.toLocaleString("en")}`} ${name}`;
      if (!screen.isTTY) {
        screen.write(`${title}: ${counts.trimEnd()}\n`);
        return;
      }
      const bar = total === null ? `${title}  ${counts}` : barOf(title, done, total, counts);
      screen.write(`\r\u001b[2K${bar.trimEnd()}`);
      shown = true;
    },
    clear,
  };
}
