/** `turnup device unknown`: the queue of models to review. */
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { createUnknownModels } from "../../store/sightings/unknown-models.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import { createOwnDevices } from "../server/own-devices.ts";
import { type Command, UsageError } from "../terminal/command.ts";
import { ageOf, tableOf } from "../terminal/table.ts";
import { limitOf } from "./orders.ts";

export const deviceUnknownCommand: Command = {
  name: "device unknown",
  summary: "List the TACs that were seen and that no list names",
  description:
    "The queue of models to review. One leaves it when `turnup import tac FILE` names it, or an override speaks of it\n" +
    '(PUT /v1/overrides, scope tac). With --json one object a TAC and, where there are more, {"nextCursor"} as the last line.',
  options: [
    ...OPERATOR_OPTIONS,
    { flags: "--limit <count>", about: "TACs of one page, 1 to 1000 (default 20)" },
    { flags: "--cursor <tac>", about: "go on after this TAC" },
  ],
  examples: ["turnup device unknown", "turnup device unknown --limit 1000 --json"],
  async run(context) {
    const cursor = context.option("cursor");
    if (cursor !== undefined && !/^\d{8}$/.test(cursor))
      throw new UsageError("--cursor is a TAC of 8 digits.");
    const limit = limitOf(context.option("limit"));
    return await withOperator(context, async ({ store, operator }) => {
      const catalog = new DeviceCatalog(readShippedDatasets());
      const own = createOwnDevices(catalog.data, store.database);
      await own.refresh();
      const isNamed = (operatorId: string, tac: string): boolean =>
        (own.of(operatorId)?.catalog ?? catalog).deviceOf(tac).model !== null;
      const { rows, nextCursor } = await createUnknownModels(store.database, isNamed).list(operator.id, {
        limit,
        cursor,
      });
      if (context.json) {
        for (const row of rows) await context.printJson(row);
        if (nextCursor) await context.printJson({ nextCursor });
        return "ok";
      }
      const now = context.now();
      const lines = rows.map(({ tac, handsets, subscribers, firstSeenAt, lastSeenAt }) => [
        tac,
        String(handsets),
        String(subscribers),
        ageOf(firstSeenAt, now),
        ageOf(lastSeenAt, now),
      ]);
      if (rows.length === 0) context.note("every model that was seen is named");
      else for (const line of tableOf(HEADS, lines)) await context.print(line);
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};
const HEADS = ["TAC", "HANDSETS", "SIMS", "FIRST SEEN", "LAST SEEN"];
