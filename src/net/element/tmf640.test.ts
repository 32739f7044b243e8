/** Network elements over TMF640 v4, at once and by a monitor (R48); what is said fits the definition of TM Forum. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Compile } from "typebox/schema";
import { afterEach, test } from "vitest";
import { SIMULATED_ELEMENTS, startElements } from "../../sim/element/elements.ts";
import { startWeb, type WebRequest } from "../../sim/web/web.ts";
import { tmf640Element } from "./tmf640.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. */
const PATIENCE_MS = 20_000;

async function world(options: Parameters<typeof startElements>[0] = {}) {
  const sim = await startElements({ secret: "right", ...options });
  const element = tmf640Element({
    url: sim.url,
    secret: "right",
    timeoutMs: PATIENCE_MS,
    pollMs: 1,
    polls: 4,
  });
  closers.push(sim.close, element.close);
  return { sim, element };
}
type Task = Parameters<ReturnType<typeof tmf640Element>["apply"]>[0];
const task = (id: string, more: Partial<Task> = {}): Task => ({
  id,
  element: "voice-mail",
  action: "add",
  catalogId: "voice-mail-plus",
  msisdn: "447700900123",
  imsi: "234150000000001",
  imei: "356938035643809",
  values: { greeting: "short" },
  ...more,
});

test("each element of the network takes its part, and holds it under the number", async () => {
  const { sim, element } = await world();
  for (const name of SIMULATED_ELEMENTS) {
    const outcome = await element.apply(task(`t-${name}`, { element: name }));
    assert.equal(outcome.kind, "done");
    assert.equal(sim.held(name).get("447700900123")?.greeting, "short");
  }
});

test("a task that comes again changes nothing; a younger one changes the same service", async () => {
  const { sim, element } = await world();
  const first = await element.apply(task("t1"));
  assert.deepEqual(await element.apply(task("t1")), first);
  const asked = sim.requests();
  await element.apply(task("t2", { values: { greeting: "long" } }));
  assert.equal(sim.services().length, 1);
  assert.equal(sim.held("voice-mail").get("447700900123")?.greeting, "long");
  assert.equal(sim.requests() - asked, 2); // found and patched
});

test("what is removed is gone; removing what is not there is done", async () => {
  const { sim, element } = await world();
  await element.apply(task("t1"));
  assert.equal((await element.apply(task("t2", { action: "remove" }))).kind, "done");
  assert.equal(sim.services().length, 0);
  assert.deepEqual(await element.apply(task("t2", { action: "remove" })), { kind: "done", reference: null });
});

test("R123: an element hears as an event what others did on a device that it serves, once, and no service changes by it", async () => {
  const { sim, element } = await world();
  const { msisdn, imsi, imei } = task("t1");
  const news = {
    ...({ id: "n1", element: "voice-mail", event: "changed", items: ["settings", "key"] } as const),
    ...{ make: "Acme", model: null, at: new Date("2026-11-29T12:00:00Z"), msisdn, imsi, imei },
  };
  for (let time = 0; time < 2; time++)
    assert.deepEqual(await element.tell(news), { kind: "done", reference: null });
  const values = { event: "changed", items: "settings key", make: "Acme", model: "", msisdn, imsi, imei };
  assert.deepEqual(sim.heard(), [{ element: "voice-mail", values }]);
  assert.equal(sim.services().length, 0);
});

test("a slow element answers 202, and its monitor says when it is done", async () => {
  const { sim, element } = await world({ habits: { "voice-mail": { kind: "slow", questions: 2 } } });
  const outcome = await element.apply(task("t1"));
  assert.ok(outcome.kind === "done" && outcome.reference);
  assert.equal(sim.services()[0]?.state, "active");
  assert.equal((await element.apply(task("t2", { action: "remove" }))).kind, "done");
  assert.equal(sim.services().length, 0);
});

test("an element that never ends is pending after its questions, and the same task finds its own service again", async () => {
  const { sim, element } = await world({ habits: { "voice-mail": { kind: "stuck" } } });
  for (const _ of [1, 2]) {
    const outcome = await element.apply(task("t1"));
    assert.ok(outcome.kind === "failed");
    assert.equal(outcome.cause, "pending");
  }
  assert.equal(sim.services().length, 1);
});

test("a task whose answer was lost has done its work, and its repeat adds no second service", async () => {
  const { sim, element } = await world({ fault: (number) => (number === 2 ? "lose_answer" : undefined) });
  assert.equal((await element.apply(task("t1"))).kind, "failed");
  assert.equal((await element.apply(task("t1"))).kind, "done");
  assert.equal(sim.services().length, 1);
});

const ends: [string, number, string, string][] = [
  ["fails at 500", 500, "failed", "busy"],
  ["says no with 409", 409, "refused", "element_refused"],
];
for (const [what, status, kind, cause] of ends) {
  test(`an element that ${what} behind its monitor gives ${kind} ${cause}, and may do better next time`, async () => {
    const { sim, element } = await world({ habits: { "voice-mail": { kind: "fails", status } } });
    const outcome = await element.apply(task("t1"));
    assert.deepEqual([outcome.kind, "cause" in outcome && outcome.cause], [kind, cause]);
    sim.behave("voice-mail", { kind: "prompt" });
    assert.equal((await element.apply(task("t1"))).kind, "done");
    assert.equal(sim.services().length, 1);
  });
}

test("an element that does not take the values has refused", async () => {
  const { element } = await world({ habits: { "voice-mail": { kind: "refuses" } } });
  const outcome = await element.apply(task("t1"));
  assert.ok(outcome.kind === "refused");
  assert.equal(outcome.reason, "the element refused: HTTP 400, code 24");
});

test("the number stands in no URL", async () => {
  const paths: string[] = [];
  const sim = await startElements({ fault: (_, { path, query }) => void paths.push(`${path}?${query}`) });
  const element = tmf640Element({ url: sim.url, timeoutMs: PATIENCE_MS, pollMs: 1, polls: 4 });
  closers.push(sim.close, element.close);
  await element.apply(task("t1"));
  assert.equal(paths.length, 2);
  for (const path of paths) assert.ok(!/447700900123|234150000000001|356938035643809/.test(path), path);
});

test("an element that names a monitor elsewhere is not followed there", async () => {
  let elsewhere = 0;
  const other = await startWeb({
    answer: () => ({ status: 200, body: { state: "Completed", n: ++elsewhere } }),
  });
  const sim = await startWeb({
    answer: ({ method }) =>
      method === "POST"
        ? {
            status: 202,
            headers: { location: `${other.url}/monitor/m1` },
            body: { id: "s1", state: "reserved" },
          }
        : { status: 200, body: [] },
  });
  const element = tmf640Element({ url: sim.url, timeoutMs: PATIENCE_MS, pollMs: 1, polls: 2 });
  closers.push(other.close, sim.close, element.close);
  const outcome = await element.apply(task("t1"));
  assert.equal(outcome.kind, "failed");
  assert.equal(elsewhere, 0);
});

/** Swagger 2 of TM Forum, copied in part; `source` in the file says from where. */
const { definitions } = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../test/vector/data/tmf640-v4.json"), "utf8"),
) as { definitions: Record<string, object> };
function faultOf(name: string, value: unknown): string | undefined {
  const [good, errors] = Compile({ definitions, $ref: `#/definitions/${name}` }).Errors(value);
  return good ? undefined : `${name}: ${JSON.stringify(errors)}`;
}

test("the definition is read: a service without its specification does not fit it", () => {
  assert.ok(faultOf("Service_Create", { state: "active" }));
  assert.ok(faultOf("Service_Create", { state: "on", serviceSpecification: { id: "x" } }));
  assert.equal(faultOf("Service_Create", { state: "active", serviceSpecification: { id: "x" } }), undefined);
});

test("what the client sends and what the simulated elements answer fit the definition of TMF640", async () => {
  const came: WebRequest[] = [];
  const sim = await startElements({
    habits: { forwarding: { kind: "slow", questions: 0 } },
    fault: (_, request) => void came.push(request),
  });
  const element = tmf640Element({ url: sim.url, timeoutMs: PATIENCE_MS, pollMs: 1, polls: 4 });
  closers.push(sim.close, element.close);
  await element.apply(task("t1"));
  await element.apply(task("t2", { values: {} }));
  await element.apply(task("t3", { element: "forwarding" }));
  const bodies = came.filter(({ text }) => text !== "");
  assert.deepEqual(
    bodies.map(({ method }) => method),
    ["POST", "PATCH", "POST"],
  );
  for (const { method, text } of bodies)
    assert.equal(
      faultOf(method === "POST" ? "Service_Create" : "Service_Update", JSON.parse(text)),
      undefined,
    );
  for (const service of sim.services()) assert.equal(faultOf("Service", service), undefined);
  const monitor = came.find(({ path }) => path.includes("/monitor/"));
  const shown = await (await fetch(sim.url + monitor?.path)).json();
  assert.equal(faultOf("Monitor", shown), undefined);
  const none = await fetch(`${sim.url}/tmf-api/ServiceActivationAndConfiguration/v4/service/none`);
  assert.equal(faultOf("Error", await none.json()), undefined);
});
