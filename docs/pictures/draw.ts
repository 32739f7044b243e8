/**
 * Draws run.svg: what a terminal shows of `npm start -- --once`, letter for letter. Runs the program in tmux, with a
 * data folder of its own that is removed afterwards.
 *   node --import tsx docs/pictures/draw.ts
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

const COLUMNS = 116;
const ROWS = 42;
const WAIT_MS = 90_000;
const POLL_MS = 500;
const FONT = { size: 13, advance: 7.83, line: 18 } as const;
const MARGIN = 16;
const COMMAND = "npm start -- --once --seed 7";
const COLOUR = { ground: "#16181d", text: "#d7dae0", prompt: "#8bd5a0", quiet: "#8b93a1" } as const;

const root = join(import.meta.dirname, "..", "..");
const folder = mkdtempSync(join(tmpdir(), "turnup-picture-"));
const socket = `turnup-picture-${process.pid}`;
const tmux = (...args: string[]): string =>
  execFileSync("tmux", ["-L", socket, ...args], { encoding: "utf8" });

try {
  writeFileSync(join(root, "docs", "pictures", "run.svg"), svgOf(await screenOfRun()));
} finally {
  try {
    tmux("kill-server"); // the one of our own socket
  } catch {
    // It never started.
  }
  rmSync(folder, { recursive: true, force: true });
}

async function screenOfRun(): Promise<string[]> {
  const program = `TURNUP_DATA_FOLDER='${folder}/data' TURNUP_HTTP_PORT=0 node '${root}/bin/turnup.js' start --once --seed 7`;
  tmux(
    "new-session",
    "-d",
    "-x",
    String(COLUMNS),
    "-y",
    String(ROWS),
    `${program}; echo "exit code $?"; sleep 60`,
  );
  for (let waitedMs = 0; waitedMs < WAIT_MS; waitedMs += POLL_MS) {
    await wait(POLL_MS);
    const screen = tmux("capture-pane", "-p").trimEnd();
    if (/^exit code \d+$/m.test(screen)) return screen.split("\n");
  }
  throw new Error(`the run did not end within ${WAIT_MS} ms`);
}

function svgOf(screen: readonly string[]): string {
  const lines = [`$ ${COMMAND}`, ...screen];
  const width = Math.ceil(COLUMNS * FONT.advance + 2 * MARGIN);
  const height = Math.ceil(lines.length * FONT.line + 2 * MARGIN);
  const rows = lines.map((line, at) => {
    const y = MARGIN + (at + 1) * FONT.line - 5;
    return `<text x="${MARGIN}" y="${y}"${fillOf(line, at)}>${escaped(line.trimEnd())}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="A terminal after ${COMMAND}">
<rect width="100%" height="100%" rx="8" fill="${COLOUR.ground}"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT.size}" fill="${COLOUR.text}">
${rows.join("\n")}
</g>
</svg>
`;
}

function fillOf(line: string, at: number): string {
  if (at === 0) return ` fill="${COLOUR.prompt}"`;
  return /^(#|starting|making|loading|ready|exit)/.test(line) ? ` fill="${COLOUR.quiet}"` : "";
}

function escaped(text: string): string {
  const marked = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  return marked.replaceAll(" ", "\u00a0"); // browsers fold plain spaces, whatever xml:space says
}
