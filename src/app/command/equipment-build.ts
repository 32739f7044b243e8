/** `turnup equipment build`, `verify`: the sorted file of statuses, for registers of hundreds of millions of handsets. */
import { buildStatusFile } from "../../store/equipment/build-status-file.ts";
import { openStatusFile } from "../../store/equipment/status-file.ts";
import { assured, wordOf } from "../../term/narrow.ts";
import { FILE_STATUSES } from "../../wire/equipment/status-file.ts";
import type { Command } from "../terminal/command.ts";

export const equipmentBuildCommand: Command = {
  name: "equipment build",
  summary:
    "Build a sorted file of statuses out of rows in any order, for a register of hundreds of millions of handsets",
  description: [
    "A row is a handset (14 or 15 digits), a range or a TAC, and after a comma white, grey or black where it is not what --status says. Rows are sorted",
    "beside the new file, which is put in place whole: servers answer by it within a second. A build that was cut off is begun anew.",
  ].join("\n"),
  args: [
    { usage: "<rows>", about: "a file of rows" },
    { usage: "<file>", about: "the sorted file, as statusFile of equipment.lists_file names it" },
  ],
  options: [
    { flags: "--status <status>", about: "of rows that name none (default black)", choices: FILE_STATUSES },
  ],
  examples: ["turnup equipment build national.csv national.eqs --status black"],
  async run(context) {
    const [from = "", to = ""] = context.args;
    const status = assured(
      wordOf(FILE_STATUSES, context.option("status") ?? "black"),
      "the option has its choices",
    );
    const progress = context.progress("sorting");
    const built = await buildStatusFile({
      ...{ from, to, status, madeAtMs: context.now().getTime(), signal: context.signal },
      onProgress: (step, done, total) =>
        progress.update(done, total, step === "read" ? "octets read" : "handsets merged"),
    });
    progress.clear();
    if (context.json) await context.printJson(built);
    else
      await context.print(
        `${to}: ${built.handsets} handsets, ${built.ranges} ranges and models, ${built.octets} octets, version ${built.version.slice(0, 12)}`,
      );
    return "ok";
  },
};

export const equipmentVerifyCommand: Command = {
  name: "equipment verify",
  summary:
    "Read a sorted file of statuses whole, and say what it holds and whether its octets are as they were built",
  args: [{ usage: "<file>", about: "the sorted file" }],
  examples: ["turnup equipment verify national.eqs"],
  async run(context) {
    const [path = ""] = context.args;
    const file = openStatusFile(path, { name: path, priority: 0 });
    try {
      const progress = context.progress("reading");
      file.verify((done) => progress.update(done, file.header.blocks, "blocks"));
      progress.clear();
      const { handsets, segments, madeAtMs, digest } = file.header;
      const version = Buffer.from(digest).toString("hex");
      const madeAt = new Date(madeAtMs).toISOString();
      if (context.json) await context.printJson({ handsets, segments, madeAt, version });
      else
        await context.print(
          `${path} is whole: ${handsets} handsets, built ${madeAt}, version ${version.slice(0, 12)}`,
        );
    } finally {
      file.close();
    }
    return "ok";
  },
};
