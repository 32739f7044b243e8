/**
 * R8 where server with proxy, message centre, service server and payment provider share nothing but addresses: a phone gives a bank
 * account through the proxy, and its token pays for what is ordered then and later, each month once, also where the server dies
 * while the payment provider's answer is on its way.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "vitest";
import { startPaymentProvider } from "../../src/sim/payment/provider.ts";
import {
  accountsFile,
  askerWhoAccepts,
  type MachinesApart,
  machinesApart,
  makeDevice,
  phoneApart,
  setUpOperator,
} from "../fixture/machines-apart.ts";
import { until } from "../fixture/story.ts";
import { orderSteps, toMenu } from "../fixture/story-steps.ts";
import { whenDone } from "../fixture/when-done.ts";

/** Programs are started one after the other, on whatever machine. */
const TIMEOUT_MS = 600_000;
const SECRET = "sk-of-this-story";
/** As Spain writes account numbers; the bank says only after a while what became of a sum. */
const NUMBER = "2100 0418 45 0200051332";
const IBAN = "ES9121000418450200051332";
const HOLDER = "Inés Ñíguez";

async function itemOnOffer(machines: MachinesApart, token: string): Promise<void> {
  const item = (name: string, onceMinor: number, monthlyMinor: number) => ({
    kind: "feature",
    name: { en: name },
    description: { en: name },
    content: { kind: "none" },
    price: { onceMinor, monthlyMinor, currency: "SEK" },
    requires: { assurance: "otp", verification: false, card: true },
  });
  for (const [id, body] of [
    ["tone", item("Ringback tone", 0, 1_500)],
    ["relay", item("Relay", 9_900, 0)],
  ] as const) {
    const response = await fetch(`http://127.0.0.1:${machines.ports.api}/v1/catalog/${id}`, {
      method: "PUT",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", "if-none-match": "*" },
      body: JSON.stringify(body),
    });
    assert.ok(response.ok, await response.text());
  }
}

test(
  "R8: an account given on a phone pays by its token for what is ordered then, later and by the month, once, though the server dies meanwhile",
  async () => {
    const machines = await machinesApart();
    const { folder, start, ports, database } = machines;
    const token = await setUpOperator(machines);
    let losing = true;
    let asked = 0;
    const provider = await startPaymentProvider({
      secret: SECRET,
      cards: { [IBAN]: { at: "charge", pending: 1 } },
      fault: (_, { path }) => {
        if (path !== "/v1/charges") return undefined;
        asked += 1;
        return losing ? "lose_answer" : undefined;
      },
    });
    whenDone(provider.close);
    const serve = () =>
      start(
        ["serve", "--with-proxy"],
        {
          ...machines.environment,
          TURNUP_LAND_PORT: String(ports.land),
          TURNUP_PROXY_PORT: String(ports.proxy),
          TURNUP_PROXY_ACCOUNTS_FILE: accountsFile(machines),
          TURNUP_PAYMENT_URL: provider.url,
          TURNUP_PAYMENT_SECRET: SECRET,
          TURNUP_PAYMENT_TIMEOUT_MS: "700",
          TURNUP_PAYMENT_RETURNS_POLL_MS: "1000",
        },
        /Turnup serves at/,
      );
    const server = await serve();
    const certificates = join(folder, "data", "proxy", "certificates");
    await makeDevice(machines, join(certificates, "factory", "authority"));
    const asker = await askerWhoAccepts(machines, token);
    const { version, body } = await asker.get("/v1/policy");
    const collection = { by: "token", retries: 1, retryAfterHours: 1 };
    const policy = { ...body, request: { ...body.request, collection } };
    const put = await asker.call("PUT", "/v1/policy", policy, "admin", { "if-match": `"${version}"` });
    assert.equal(put.status, 200, put.text);
    await itemOnOffer(machines, token);
    const { phone } = await phoneApart(machines, join(certificates, "proxy", "authority.crt"));
    phone.powerOn();
    await phone.walk([
      ...orderSteps("Features", "Ringback tone").slice(0, -3),
      { choose: "Pay from a bank account" },
      { fill: { a_number: IBAN, a_holder: HOLDER, a_mandate: "yes" } },
      { submit: true },
    ]);
    await asker.storyUntil(phone, ({ state }) => state === "completed", "the tone is there");
    await until(
      () => asked,
      (times) => times > 1,
      "the payment provider was asked for it",
    );
    await server.kill();
    losing = false;
    await serve();
    const sums = async () => (await asker.get("/v1/collections?order=asc")).rows;
    const [first] = await until(sums, (rows) => rows[0]?.state === "taken", "the first month was taken");
    assert.deepEqual([first.amountMinor, first.currency, first.meansMasked], [1_500, "SEK", "ES******1332"]);
    assert.equal(provider.taken().length, 1, "once, whatever became of the answers");
    assert.match(provider.taken()[0]?.mandate ?? "", /^M[0-9A-F]{30}$/);

    await toMenu(phone);
    await phone.walk([{ choose: "Services" }, ...orderSteps("Features", "Relay")]);
    await until(sums, (rows) => rows[1]?.state === "taken", "a later order was paid by the same token");
    await database.run(
      "update provisioned_item set since = since - interval '1 month', renews_at = renews_at - interval '1 month'",
    );
    const rows = await until(sums, (all) => all[2]?.state === "taken", "the next month was taken");
    assert.deepEqual(
      rows.map(({ purpose, period, amountMinor }: (typeof rows)[number]) => [purpose, period, amountMinor]),
      [
        ["order", 0, 1_500],
        ["order", 0, 9_900],
        ["renewal", 1, 1_500],
      ],
    );
    // Weeks later the debtor's bank gives the relay's month back.
    provider.giveBack({ reference: rows[1].reference, code: "AM04" });
    const after = await until(sums, (all) => all[1]?.state === "returned", "the return was heard of");
    assert.deepEqual([after[1].returnCode, after[1].owedMinor], ["AM04", 9_900]);
    const owed = (await asker.get("/v1/collections/owed")).rows;
    assert.deepEqual(owed, [{ currency: "SEK", state: "returned", owedMinor: 9_900, sums: 1 }]);
    const tokens = new Set(provider.taken().map(({ token }) => token));
    assert.equal(tokens.size, 1);
    const { mandate, card } = (await asker.get(`/v1/requests/${first.orderId}`)) as Record<string, string>;
    assert.equal(card, "ES******1332");
    assert.match(mandate ?? "", /^M\w{3} \*\*\*\* \w{4}$/);
    const kept = JSON.stringify([
      await database.rows("select * from request"),
      await database.rows("select * from user_account"),
      await database.rows("select body, reason, sealed is null as wiped from outbound_call"),
      await database.rows("select * from order_event"),
    ]);
    for (const secret of [IBAN, IBAN.slice(4), NUMBER, HOLDER]) assert.ok(!kept.includes(secret));
    for (const one of machines.processes)
      for (const secret of [IBAN, IBAN.slice(4), HOLDER])
        assert.ok(!one.output().includes(secret), "no log line has it");
  },
  TIMEOUT_MS,
);
