/** Redraws a block of lines in place on a terminal, and a bar for long work; on anything else it prints nothing. */
import type { Writable } from "node:stream";

const REDRAW_MS = 120;

type LiveBlock = {
  /** Draws the lines that `lines` gives, at most every 120 ms. */
  draw(lines: () => readonly string[]): void;
  /** Leaves the block as it is and goes on below it. */
  end(lines: () => readonly string[]): void;
};

export function liveBlock(out: Writable): LiveBlock {
  let height = 0;
  let drawnAt = 0;
  const write = (lines: readonly string[]): void => {
    const up = height > 0 ? `\u001b[${height}A` : "";
    out.write(`${up}${lines.map((line) => `\u001b[2K${line}`).join("\n")}\n\u001b[J`);
    height = lines.length;
  };
  return {
    draw(lines) {
      if (Date.now() - drawnAt < REDRAW_MS) return;
      drawnAt = Date.now();
      write(lines());
    },
    end(lines) {
      write(lines());
      height = 0;
    },
  };
}

/** `loading data  [#####.....]  50%  name` */
export function barOf(title: string, done: number, total: number, name: string): string {
  const share = total === 0 ? 1 : done / total;
  const filled = Math.round(share * 24);
  return `${title}  [${"#".repeat(filled)}${".".repeat(24 - filled)}] ${String(Math.round(share * 100)).padStart(3)} %  ${name}`;
}
