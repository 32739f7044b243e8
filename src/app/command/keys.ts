/** `turnup keys ...`: makers' keys that are stored beforehand, imported by the batch and used up one by one. */
import { join } from "node:path";
import { keyBatchNotFound } from "../../http/v1/key-batches.ts";
import { importBatch } from "../../kernel/keys/import-batch.ts";
import type { BatchView, KeyBatches } from "../../kernel/keys/key-batches.ts";
import { createKeyBatches } from "../../store/operator/key-batches.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { TurnupError } from "../../term/error.ts";
import { sentenceOf } from "../../term/sentence.ts";
import { binderOf } from "../../wire/message/device-key.ts";
import { type KeyBatch, MAX_BATCH_OCTETS, readKeyBatch } from "../../wire/message/maker-api.ts";
import { ShapeError } from "../../wire/message/shape.ts";
import { dataFolderOf } from "../config/config.ts";
import { CLI_ACTOR, OPERATOR_OPTIONS, type OperatorStore, withOperator } from "../server/operator-store.ts";
import { ownIssuer } from "../server/own-issuer.ts";
import type { Command, CommandContext } from "../terminal/command.ts";
import { tableOf, timeOf } from "../terminal/table.ts";

export const keysImportCommand: Command = {
  name: "keys import",
  summary: "Store a maker's batch of keys, each for the handset that needs it first",
  description:
    "The file is JSON: batchId, make, keys (base64), and models (make/model, make/prefix*) where it is for some alone, as the maker's POST /v1/batches answers it. Each key is signed by an issuer\n" +
    "of the relation and names this installation as its binder (`raw` of `turnup issuer show --json`). One key that cannot be\n" +
    "taken refuses the whole batch; the same batch again changes nothing. The relation's keySource is `stock`.",
  args: [{ usage: "<file>", about: "the batch; - reads standard input" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup keys import batch.json", "turnup keys import batch.json --operator meridian --json"],
  async run(context) {
    const batch = batchIn(await context.content(context.args[0] ?? "-", MAX_BATCH_OCTETS));
    return await withOperator(context, async (opened) => {
      const { store, config, operator, clock } = opened;
      const issuer = await ownIssuer(
        { ...store, file: join(dataFolderOf(config), "own-issuer.pem") },
        config.issuer.name,
      );
      const { relations } = createRegistry({ ...store, ...opened });
      const stored = await importBatch(
        {
          relationOf: (operatorId, make) => relations.find(operatorId, make),
          keyBatches: batchesOf(opened),
          binder: binderOf(issuer.publicKey),
          now: clock(),
        },
        operator.id,
        batch,
        CLI_ACTOR,
      );
      if (context.json) await context.printJson(stored.batch);
      else
        await context.print(
          `${stored.created ? "stored" : "stored before"}: batch ${stored.batch.id} of ${stored.batch.make}, ${stored.batch.keys} keys, ${stored.batch.free} free`,
        );
      return "ok";
    });
  },
};

export const keysListCommand: Command = {
  name: "keys list",
  summary: "List makers' batches of keys, and what is left of them",
  options: OPERATOR_OPTIONS,
  examples: ["turnup keys list", "turnup keys list --json"],
  run: async (context) =>
    await withOperator(context, async (opened) => {
      const keyBatches = batchesOf(opened);
      const batches = await keyBatches.list(opened.operator.id);
      const stocks = await keyBatches.stocks(opened.operator.id);
      if (context.json) {
        await context.printJson({ batches, stocks });
        return "ok";
      }
      if (batches.length === 0) context.note("there are no batches");
      else await printBatches(context, batches);
      for (const { make, models, free, state, nextAction } of stocks)
        await context.print(
          `${[make, ...models].join(" ")}: ${free} free, ${state}${state === "enough" ? "" : `: ${nextAction}`}`,
        );
      return "ok";
    }),
};

export const keysWithdrawCommand: Command = {
  name: "keys withdraw",
  summary: "Give nobody a key of a batch any more",
  description: "Keys that handsets have already stay theirs. Twice is once.",
  args: [{ usage: "<batch>", about: "the maker's name of it" }],
  options: OPERATOR_OPTIONS,
  examples: ["turnup keys withdraw acme-2026-03"],
  async run(context) {
    const [batchId = ""] = context.args;
    return await withOperator(context, async (opened) => {
      const batch = await batchesOf(opened).withdraw(opened.operator.id, batchId, CLI_ACTOR);
      if (!batch) throw keyBatchNotFound(batchId);
      if (context.json) await context.printJson(batch);
      else
        await context.print(`withdrawn: ${batch.withdrawn} of ${batch.keys} keys, ${batch.sent} were sent`);
      return "ok";
    });
  },
};

const batchesOf = ({ store, newId, clock }: OperatorStore): KeyBatches =>
  createKeyBatches({ database: store.database, sealer: store.sealer, newId, clock });

async function printBatches(context: CommandContext, batches: readonly BatchView[]): Promise<void> {
  const rows = batches.map((batch) => [
    batch.id,
    batch.make,
    batch.models.join(" ") || "all",
    ...[batch.keys, batch.free, batch.bound, batch.sent, batch.expired, batch.withdrawn].map(String),
    timeOf(batch.importedAt),
    batch.importedBy,
  ]);
  const heads = [
    "BATCH",
    "MAKE",
    "MODELS",
    "KEYS",
    "FREE",
    "BOUND",
    "SENT",
    "EXPIRED",
    "WITHDRAWN",
    "IMPORTED",
    "BY",
  ];
  for (const line of tableOf(heads, rows)) await context.print(line);
}

/** @throws TurnupError `key_batch_invalid` */
function batchIn(content: Buffer): KeyBatch {
  try {
    return readKeyBatch(JSON.parse(content.toString("utf8")), "");
  } catch (cause) {
    if (!(cause instanceof ShapeError || cause instanceof SyntaxError)) throw cause;
    throw new TurnupError("key_batch_invalid", sentenceOf(`The file: ${cause.message}`), {
      cause,
      nextStep: "Give the file as the maker's POST /v1/batches answered it; nothing was stored.",
    });
  }
}
