/** What Wireshark's command line says of octets: one frame, written as a capture by its own `text2pcap`. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const PROGRAM_TIMEOUT_MS = 30_000;
const FROM_PORT = 49_152;

/** @returns the frame in words, each field of each layer on a line of its own */
export function dissect(
  octets: Uint8Array,
  { transport, port }: { readonly transport: "udp" | "tcp"; readonly port: number },
): string {
  const folder = mkdtempSync(join(tmpdir(), "turnup-peer-"));
  try {
    const dump = join(folder, "frame.txt");
    const capture = join(folder, "frame.pcap");
    writeFileSync(
      dump,
      `000000 ${[...octets].map((octet) => octet.toString(16).padStart(2, "0")).join(" ")}\n`,
    );
    run("text2pcap", ["-q", transport === "udp" ? "-u" : "-T", `${FROM_PORT},${port}`, dump, capture]);
    return run("tshark", ["-n", "-V", "-r", capture]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(program: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync(program, args, { timeout: PROGRAM_TIMEOUT_MS });
  if (error) throw new Error(`${program} cannot be run (${error.message}): apt-get install tshark`);
  if (status !== 0) throw new Error(`${program}: ${stderr}`);
  return stdout.toString("utf8");
}
