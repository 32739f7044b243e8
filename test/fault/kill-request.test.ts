/**
 * kill -9 at any moment of requests loses nothing that was accepted and does nothing twice (US 6,647,260, R16, R57, R59, R64):
 * phones, proxy and other companies' machines go on in this process while the provisioning server, in another, is killed at
 * seeded points and started again. Then the books of all parties are laid side by side.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { ROAD_WORLD } from "../../src/app/demo/device-world.ts";
import type { Phone } from "../../src/sim/phone/phone.ts";
import { type OutsideMachines, outsideMachines } from "../fixture/outside-machines.ts";
import { SEED } from "../fixture/seed.ts";
import { imeiOf } from "../fixture/story-parties.ts";
import { modulesOf, SAID } from "../fixture/story-steps.ts";
import { startKilling } from "./killing.ts";
import { patience } from "./patience.ts";
import { restOf, whatWaits } from "./rest.ts";
import { startTurnup } from "./turnup-process.ts";

const PHONES = 15;
const KILLS = 5;
const READY = /Turnup serves at/;
/** Nothing that this test waits for stands still so long. */
const REST_STILL_MS = 45_000;
const TEST_LIMIT_MS = 900_000;
const LOOK_MS = 8_000;
/** Long enough between two people that there is work at every kill. */
const APART_MS = 400;
const MOMENTS = {
  "message taken": 15,
  "message of a phone": 8,
  request: 40,
  installation: 4,
  "billing asked": 8,
  "element asked": 5,
  "card asked": 4,
} as const;

type Wish = {
  readonly road: "Features" | "Services";
  readonly label: string;
  readonly id: string;
  readonly fill: Readonly<Record<string, string>>;
};
const PERSON = { u_givenName: "Anna", u_familyName: "Lind" };
const feature = (label: string, id: string, fill: Readonly<Record<string, string>> = {}): Wish => ({
  road: "Features",
  label,
  id,
  fill,
});
/** What the person with phone number so-and-so wants, one after the other: two requests each. */
const wishesOf = (serial: number): readonly Wish[] =>
  (
    [
      [feature("Voice mail", "voice-mail"), feature("Java runtime", "java-runtime")],
      [
        feature("Mail program", "mail-client", PERSON),
        { road: "Services", label: "Mail", id: "mail", fill: { f_mail__mailbox: `box${serial}` } },
      ],
      [
        feature("Data plan S", "data-small", { ...PERSON, ...cardOf(serial) }),
        feature("Call forwarding", "forwarding", { f_forwarding__target: "447700900123" }),
      ],
    ] as const
  )[serial % 3]!;

function cardOf(serial: number): Readonly<Record<string, string>> {
  const body = `42424242424${String(serial).padStart(4, "0")}`;
  const sum = [...body].reduce((total, digit, at) => {
    const value = Number(digit) * (at % 2 === 0 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return { c_number: body + String((10 - (sum % 10)) % 10), c_expiry: "1229" };
}

/** Goes on until the phone says that so many requests have ended; looks at the display alone, and never gives up. */
async function person(outside: OutsideMachines, phone: Phone, serial: number): Promise<void> {
  phone.powerOn();
  const wishes = wishesOf(serial);
  const waiting = patience();
  while (!waiting.isOver()) {
    waiting.see(`${outside.events.length} ${phone.lines().join()}`); // anybody's move: they share one server
    const done = doneOf(outside, phone).size;
    const isWaiting = (phone.client()?.state().orders.length ?? 0) > 0;
    if (done >= wishes.length && !phone.screen()?.id.startsWith("notice")) return;
    try {
      await act(phone, wishes, done, isWaiting);
    } catch (error) {
      if (!(error instanceof Error && error.name === "WalkError")) throw error; // the screen went on meanwhile
    }
    await phone.until(() => false, "", 50).catch(() => undefined);
  }
  assert.fail(`phone ${serial} did not come to an end; it shows ${phone.lines().join(" | ")}`);
}

/** The requests that the phone was told to be done. */
const doneOf = ({ events }: OutsideMachines, { msisdn }: Phone): ReadonlySet<string> =>
  new Set(
    events.flatMap((event) =>
      event.kind === "notice" && event.notice === "done" && event.msisdn === msisdn ? [event.reference] : [],
    ),
  );

/** What a person does at the sight of this screen. */
async function act(phone: Phone, wishes: readonly Wish[], done: number, isWaiting: boolean): Promise<void> {
  const { id, title, actions, entries } = await phone.walk([], LOOK_MS);
  const wish = wishes[done];
  const back = (): void => phone.press("BACK");
  const does = (...steps: Parameters<Phone["walk"]>[0]): Promise<unknown> => phone.walk(steps, LOOK_MS);
  if (/^notice-(terms|choice)$/.test(id)) return void (await does({ action: "accept" }));
  if (id.startsWith("notice-")) return back();
  if (id === "problem" && actions.some(({ role }) => role === "refresh"))
    return void (await does({ action: "refresh" }));
  if (id === "terms" && actions.some(({ role }) => role === "accept"))
    return void (await does({ action: "accept" }));
  if (id === "choice") return void (await does({ action: "accept" }));
  if (id === "status") {
    if (entries.length > 0) return void (await does({ choose: entries[0]!.label }));
    return actions.some(({ role }) => role === "refresh") ? undefined : back();
  }
  if (isWaiting || !wish) return id === "home" ? undefined : back();
  if (id === "home") return void (await does({ choose: "Services" }));
  if (id === "start") return void (await does({ choose: wish.road }));
  const isListed = entries.some(({ label }) => label === wish.label);
  if (id === "list" && isListed) return void (await does({ choose: new RegExp(`^${wish.label}$`) }));
  if (id === "item" && title === wish.label) return void (await does({ choose: "Order" }));
  if (id === "order") return void (await does({ fillIfAsked: SAID }, { fill: wish.fill }, { submit: true }));
  return back();
}

/** It is told of when it lasts longer than this. */
const LONG_MS = 5_000;

async function settled({ database }: OutsideMachines): Promise<void> {
  const began = performance.now();
  const waiting = patience(REST_STILL_MS);
  let waited = "";
  for (;;) {
    const row = await database.one<{ open: number; waiting: number }>(
      `select (select count(*)::int from provisioning_order where ended_at is null) as open,
              (select count(*)::int from message where state in ('queued', 'submitting', 'submitted'))
            + (select count(*)::int from outbound_call where due_at is not null) as waiting`,
    );
    const restMs = Math.round(performance.now() - began);
    if (row?.open === 0 && row.waiting === 0) {
      if (waited !== "")
        process.stdout.write(`seed ${SEED}: at rest after ${restMs} ms; it waited for ${waited}\n`);
      return;
    }
    if (restMs > LONG_MS) waited = await whatWaits(database);
    waiting.see(JSON.stringify(row));
    if (waiting.isOver()) assert.fail(`it did not come to rest: ${JSON.stringify(row)}: ${waited}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

test(
  `a server killed ${KILLS} times in the middle of ${PHONES * 2} requests loses none and does nothing twice (seed ${SEED})`,
  async () => {
    const moment: { tell: (moment: string) => void } = { tell: () => undefined };
    const seen = (what: string) => () => {
      moment.tell(what);
      return undefined;
    };
    const outside = await outsideMachines({
      seed: SEED,
      policy: { statusIntervalMinutes: null },
      habits: {
        billing: { fault: seen("billing asked") },
        elements: { fault: seen("element asked") },
        payment: { fault: seen("card asked") },
      },
    });
    moment.tell = (what) => outside.onMoment(what);
    const killing = await startKilling(outside, {
      start: () => startTurnup(["serve"], outside.environment, READY),
      moments: MOMENTS,
      kills: KILLS,
      seed: SEED,
    });
    let ended: number | null = null;
    try {
      await outside.road.connect({
        servers: [{ id: ROAD_WORLD.landId, url: outside.landUrl }],
        issuers: [outside.issuer],
      });
      const people: Promise<void>[] = [];
      const phones: Phone[] = [];
      for (let serial = 0; serial < PHONES; serial++) {
        const phone = await outside.road.phone({
          imei: imeiOf(serial),
          imsi: `001019${String(serial).padStart(9, "0")}`,
          msisdn: `88210900${String(serial).padStart(4, "0")}`,
        });
        phones.push(phone);
        people.push(person(outside, phone, serial));
        await new Promise((resolve) => setTimeout(resolve, APART_MS));
      }
      const ends = await Promise.allSettled(people);
      await killing.finish();
      process.stdout.write(`seed ${SEED}: killed at ${killing.killed.join(", ")}\n`);
      assert.deepEqual(
        ends.flatMap((end) => (end.status === "rejected" ? [String(end.reason)] : [])),
        [],
      );
      await settled(outside);
      process.stdout.write(`seed ${SEED}: ${await restOf(outside.database)}\n`);
      await reconcile(outside, phones);
    } finally {
      ended = await killing.server().stop();
    }
    assert.equal(ended, 0);
  },
  TEST_LIMIT_MS,
);

async function reconcile(outside: OutsideMachines, phones: readonly Phone[]): Promise<void> {
  const { parties } = outside.road.sandboxes;
  const wanted = phones.flatMap((phone, serial) => wishesOf(serial).map(({ id }) => ({ phone, id })));
  const having = (id: string): Phone[] => wanted.flatMap((one) => (one.id === id ? [one.phone] : []));

  for (const [serial, phone] of phones.entries()) {
    const { rows } = await outside.get(`/v1/orders?imsi=${phone.imsi}`);
    const orders = await Promise.all(rows.map(({ id }: { id: string }) => outside.get(`/v1/orders/${id}`)));
    const got = orders.map(({ state, items }) => `${items[0].subject.catalogId} ${state}`).sort();
    assert.deepEqual(
      got,
      wishesOf(serial)
        .map(({ id }) => `${id} completed`)
        .sort(),
      `orders of phone ${serial}`,
    );
  }
  const registered = parties.office.kernelAt("/scim/v2").ofClient("turnup");
  assert.equal(
    registered.length,
    having("mail").length,
    "each user is registered once at the service server",
  );

  for (const [element, id] of [
    ["voice-mail", "voice-mail"],
    ["forwarding", "forwarding"],
    ["billing-plan", "data-small"],
    ["e-mail", "mail"],
  ] as const) {
    const holds = [...parties.elements.held(element).keys()]
      .map((number) => number.replace(/^\+/, ""))
      .sort();
    assert.deepEqual(
      holds,
      having(id)
        .map(({ msisdn }) => msisdn)
        .sort(),
      element,
    );
  }
  const booked = parties.billing
    .ledger()
    .map(({ accountId, kind, catalogId }) => `${accountId} ${kind} ${catalogId}`);
  assert.deepEqual(
    booked.filter((one, at) => booked.indexOf(one) !== at),
    [],
    "nothing is billed twice",
  );
  assert.equal(parties.billing.accounts().length, PHONES, "one account each");
  assert.equal(booked.length, PHONES * 3, "the account and both wishes of each");
  assert.deepEqual(parties.billing.reserved(), []);
  assert.equal(parties.provider.held().length, having("data-small").length, "each card was asked for once");

  const installed = outside.events.flatMap((event) =>
    event.kind === "installation" && event.outcome.kind === "installed" && !event.outcome.repeated
      ? [event.itemId]
      : [],
  );
  assert.equal(new Set(installed).size, installed.length, "no device installed anything twice");
  for (const phone of having("mail")) assert.ok(modulesOf(phone).includes("mail-client active"));
  for (const phone of having("java-runtime")) assert.ok(modulesOf(phone).includes("java-runtime active"));
  const told = outside.events.flatMap((event) =>
    event.kind === "notice" && event.notice === "done" ? [`${event.msisdn} ${event.reference}`] : [],
  );
  assert.equal(new Set(told).size, told.length, "nobody is told twice that it is done");
  assert.equal(told.length, PHONES * 2);
}
