/** Another message centre while messages are under way, over real sockets: nothing is lost, nothing goes twice. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { createEsme } from "../../net/smsc/esme.ts";
import { createSmscSimulator } from "../../sim/smsc/smsc.ts";
import { liveSession } from "./live-session.ts";

async function centre() {
  const account = { systemId: "turnup", password: "password" };
  const smsc = await createSmscSimulator({
    port: 0,
    ...account,
    seed: 1,
    onMessage: async () => "delivered",
  });
  whenDone(() => smsc.close());
  const esme = () => createEsme({ host: "127.0.0.1", port: smsc.port, ...account, onDeliver: async () => 0 });
  return { smsc, esme };
}
const messages = (name: string, count: number) =>
  Array.from({ length: count }, (_, at) => ({
    destination_addr: "491701234567",
    short_message: Buffer.from(`${name}-${at}`),
  }));

test("what was handed to the former centre is answered there, what comes afterwards by the next, in whatever state it is", async () => {
  const [first, second] = [await centre(), await centre()];
  const live = liveSession(first.esme());
  whenDone(() => live.stop());
  const states: string[] = [];
  live.on("state", ({ name }) => states.push(name));
  const bound = (times: number) =>
    new Promise<void>((resolve) => {
      const look = () => states.filter((name) => name === "bound").length >= times && resolve();
      live.on("state", look);
      look();
    });
  live.start();
  await bound(1);
  const before = live.submitBatch(messages("before", 50));
  live.change(second.esme());
  assert.equal(live.state.name, "idle", "it says of the new session that it does not stand yet");
  const after = live.submitBatch(messages("after", 50));
  const outcomes = [...(await before), ...(await after)];
  assert.deepEqual(new Set(outcomes.map(({ kind }) => kind)), new Set(["accepted"]));
  await bound(2);
  const textsAt = ({ log }: typeof first.smsc) =>
    new Set(log.map(({ userData }) => Buffer.from(userData).toString("utf8").split("-")[0]));
  assert.deepEqual([textsAt(first.smsc), textsAt(second.smsc)], [new Set(["before"]), new Set(["after"])]);
  assert.deepEqual([first.smsc.stats.accepted, second.smsc.stats.accepted], [50, 50]);
  assert.equal(first.smsc.stats.sessions, 0, "the former one is unbound");
  await live.stop();
  assert.equal(live.state.name, "stopped");
});
