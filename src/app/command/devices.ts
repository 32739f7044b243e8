/** `turnup device unknown`: the queue of models to review. */

import type { ModelClues } from "../../kernel/detection/unknown-model.ts";
import { DeviceCatalog } from "../../kernel/devices/catalog.ts";
import { shippedNetworkData } from "../../store/dataset/access-point-data.ts";
import { readShippedDatasets } from "../../store/dataset/devices.ts";
import { createDeviceStatements } from "../../store/sightings/device-statements.ts";
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
    "The queue of models to review, with the years in which such numbers were given out, the radios that its handsets\n" +
    "were seen on, and what they say of themselves. One leaves it when a row of `turnup device propose` is approved,\n" +
    "`turnup import tac FILE` names it, or an override speaks of it\n" +
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
      const own = createOwnDevices(catalog.data, store.database, shippedNetworkData);
      await own.refresh();
      const deviceOf = (operatorId: string, tac: string) =>
        (own.of(operatorId)?.catalog ?? catalog).deviceOf(tac);
      const models = createUnknownModels(store.database, deviceOf, createDeviceStatements(store));
      const { rows, nextCursor } = await models.list(operator.id, { limit, cursor });
      if (context.json) {
        for (const row of rows) await context.printJson(row);
        if (nextCursor) await context.printJson({ nextCursor });
        return "ok";
      }
      const now = context.now();
      const lines = rows.map(({ tac, handsets, subscribers, firstSeenAt, lastSeenAt, ...clues }) => [
        tac,
        String(handsets),
        String(subscribers),
        ageOf(firstSeenAt, now),
        ageOf(lastSeenAt, now),
        clues.ageWindows.map(({ from, to }) => `${from}-${to}`).join(" or "),
        clues.radios.join(" "),
        saidWords(clues),
      ]);
      if (rows.length === 0) context.note("every model that was seen is named");
      else for (const line of tableOf(HEADS, lines)) await context.print(line);
      if (nextCursor) context.note(`there are more: add --cursor ${nextCursor}`);
      return "ok";
    });
  },
};
const HEADS = ["TAC", "HANDSETS", "SIMS", "FIRST SEEN", "LAST SEEN", "GIVEN OUT", "RADIOS", "SAYS"];
const SAID_CHARACTERS_MAX = 60;

/** What its handsets agree on, or else what most of them say. */
function saidWords({ isSpecial, proposal, said }: ModelClues): string {
  if (isSpecial) return "a number of no model";
  if (proposal) return `${proposal.make} ${proposal.model} (${proposal.handsets} of ${proposal.ofHandsets})`;
  return (said[0]?.value ?? "").slice(0, SAID_CHARACTERS_MAX);
}
