/** A feature that asks for something: given with the request, told to the network and the device, shown in the history. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { requestShop } from "../../../test/fixture/request-shop.ts";
import { verifyContent } from "../../wire/message/content.ts";

const shop = await requestShop();
const TARGET = "+4915198765432";
const FORWARDING = {
  id: "forwarding",
  content: { kind: "parameters", values: { "forward.to": "tel:{target}", "forward.when": "busy" } },
  elements: ["forwarding"],
  fields: [{ name: "target", label: { en: "Forward to" }, kind: "phone", required: true }],
} as const;

test("the number that calls are forwarded to goes from the request to the network's element and onto the device, and stands masked in the history", async () => {
  const fixture = await shop.fixture("forwarding", [FORWARDING]);
  const { orderId } = await fixture.ask(["forwarding"], {
    fields: { forwarding: { target: "+49 151 98765432" } },
  });
  await fixture.calls();
  assert.deepEqual(
    fixture.saw.elements.map(({ element, action, values }) => [element, action, values]),
    [["forwarding", "add", { "forward.to": `tel:${TARGET}`, "forward.when": "busy", target: TARGET }]],
  );
  const [item] = (await fixture.status(orderId)).items;
  const fetched = await fixture.requests.content(fixture.scope, { orderId, itemId: item?.id ?? "" });
  assert.ok(fetched && "bytes" in fetched);
  const read = verifyContent(
    fetched.bytes,
    () => shop.issuer.publicKey,
    fixture.imei,
    new Date(shop.time.now),
  );
  assert.ok(read.kind === "valid");
  assert.deepEqual(read.content.parameters, { "forward.to": `tel:${TARGET}`, "forward.when": "busy" });
  const { events, items } = await fixture.story(orderId);
  const given = events.find(({ kind }) => kind === "fields_given");
  assert.match(given?.reason ?? "", /^given with the request: target 49\*+32$/);
  assert.ok(!JSON.stringify([events, items]).includes("98765432"), "nowhere in clear");
});

test("without the number, or with one that is none, no order is opened and nobody is told anything", async () => {
  const fixture = await shop.fixture("no target", [FORWARDING]);
  for (const fields of [{}, { forwarding: { target: "soon" } }])
    await assert.rejects(fixture.ask(["forwarding"], { fields }), { code: "field_invalid" });
  await fixture.calls();
  assert.equal(fixture.saw.elements.length, 0);
  assert.equal(await shop.count("request", "operator_id = $1", [fixture.operatorId]), 0);
});
