/** `turnup world`: the child process of `turnup start` that simulates what is outside; spoken to over IPC only. */

import type { FleetEvent } from "../../sim/handset/fleet-state.ts";
import { maskText } from "../../term/mask.ts";
import { startWorld, type World } from "../demo/world.ts";
import type { FromWorld, ToWorld, WorldNews } from "../demo/world-process.ts";
import type { Command } from "../terminal/command.ts";

const NEWS_MS = 50;

export const worldCommand: Command = {
  name: "world",
  summary: "The simulated outside world of `turnup start` (its child process)",
  description: "Takes its orders from the parent process; it does nothing when called by hand.",
  examples: ["turnup start"],
  stays: true,
  async run() {
    if (!process.send) return "usage";
    await serve(process.send.bind(process));
    return "ok";
  },
};

async function serve(send: (message: FromWorld) => void): Promise<void> {
  let world: World | undefined;
  let news: WorldNews[] = [];
  const timer = setInterval(() => {
    if (news.length > 0) send({ kind: "news", news });
    news = [];
  }, NEWS_MS);
  await new Promise<void>((end) => {
    process.on("disconnect", end); // the parent is gone: nobody needs this world any more
    process.on("message", (message: ToWorld) => {
      take(message).catch((error: unknown) =>
        send({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
      );
    });
    function worldOf(): World {
      if (!world) throw new Error("the world was not started yet");
      return world;
    }
    async function take(message: ToWorld): Promise<void> {
      switch (message.kind) {
        case "start":
          world = await startWorld(
            message.options,
            (event) => news.push(newsOf(event)),
            (error) => send({ kind: "trouble", message: maskText(String(error)) }),
          );
          return send({ kind: "started", addresses: world.addresses });
        case "connect":
          await world?.connect(message.turnup);
          return send({ kind: "connected" });
        case "ask":
          await world?.ask();
          return send({ kind: "asked" });
        case "attach":
          await world?.attach(message.perSecond);
          return send({ kind: "attached" });
        case "settle":
          return send({ kind: "settled", tried: await worldOf().settle() });
        case "ledger":
          return send({ kind: "ledger", ledger: worldOf().ledger() });
        case "close":
          end();
      }
    }
  });
  clearInterval(timer);
  await world?.close();
}

function newsOf(event: FleetEvent): WorldNews {
  const { spec, before, now } = event.phone;
  const detail =
    "apn" in event
      ? (event.apn ?? "none")
      : "cause" in event
        ? String(event.cause)
        : "what" in event
          ? event.what
          : "";
  return { imei: spec.imei, kind: event.kind, before, now, detail };
}
