/** The subscriber's portal behind the land door, over requests on PostgreSQL: the whole journey, and what is refused. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { filled, portalOver } from "../../../test/portal-house.ts";
import { requestShop } from "../../../test/request-shop.ts";
import { checkScreen } from "../../wire/screen/screen.ts";

const shop = await requestShop();

test("the journey of a device: choose, give data, agree, installed, done (rows 3, 5, 19 to 21, 55 to 57)", async () => {
  const house = await shop.house(
    "portal journey",
    [
      { id: "mail", kind: "feature", terms: "mail-terms", name: { en: "Mail" } },
      { id: "java", kind: "feature", name: { en: "Java" } },
    ],
    { terms: ["mail-terms"], policy: { userFields: ["givenName", "email"] } },
  );
  const { screen } = portalOver(shop, house);
  const start = await screen("GET", "/d/start");
  assert.equal(start.entries.length, 3);
  const list = await screen("GET", start.entries[1]!.href);
  assert.deepEqual(
    list.entries.map(({ label }) => label),
    ["Java", "Mail"],
  );
  const item = await screen("GET", list.entries[1]!.href);
  const order = await screen("GET", item.entries[0]!.href);
  assert.deepEqual(
    order.form?.fields.map(({ name }) => name),
    ["u_givenName", "u_email"],
  );
  const wrong = await screen("POST", "/d/requests", filled(order, { u_givenName: "Ada", u_email: "x" }));
  assert.equal(wrong.status, 422);
  assert.equal(wrong.form?.fields[1]?.note, "is no e-mail address");
  assert.equal(wrong.form?.fields[0]?.value, "Ada");
  const status = await screen("POST", "/d/requests", filled(wrong, { u_email: "ada@example.org" }));
  assert.equal(status.status, 200);
  const terms = await screen("GET", status.entries[0]!.href);
  assert.deepEqual(terms.text, ["Terms of mail-terms."]);
  const accept = terms.actions.find(({ role }) => role === "accept")!;
  const agreed = await screen("POST", accept.href, accept.hidden);
  assert.deepEqual(agreed.text, ["Done", "Mail: works", "You have now: Mail"]);
  checkScreen(agreed);
});
