/** One-time tokens of enrolment: spent once, left good by a look, and never another operator's. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "vitest";
import { orderShop, pair } from "../../../test/fixture/order-shop.ts";
import { uuidv7 } from "../database/uuid.ts";
import { createEnrolments } from "./enrolments.ts";
import { createPortalPeople } from "./portal-link.ts";

const shop = await orderShop();
const people = createPortalPeople(shop.database, shop.sealer);
const enrolments = createEnrolments(shop.database, shop.sealer, people, uuidv7);
const HOUR_MS = 3_600_000;

test("a token is its operator's alone, is spent once, and a question in another's name does not spend it", async () => {
  const operatorId = await shop.operator();
  const other = await shop.operator();
  const who = pair("enrols");
  await shop.see(operatorId, who);
  const now = new Date(shop.time.now);
  const tokenHash = createHash("sha256").update("a token").digest();
  const expiresAt = new Date(shop.time.now + HOUR_MS);
  const issued = await enrolments.issue(operatorId, { who, imei: null, tokenHash, expiresAt });
  assert.equal(issued?.msisdn, who.msisdn);
  assert.equal(await enrolments.spend(other, tokenHash, now), undefined);
  assert.equal(await enrolments.spend(operatorId, tokenHash, expiresAt), undefined, "its time is over then");
  assert.equal(await enrolments.look(other, tokenHash, now), undefined);
  assert.equal(await enrolments.look(operatorId, tokenHash, expiresAt), undefined);
  for (let time = 0; time < 2; time++)
    assert.equal(
      (await enrolments.look(operatorId, tokenHash, now))?.imsi,
      who.imsi,
      "a look leaves it good",
    );
  assert.equal((await enrolments.spend(operatorId, tokenHash, now))?.imsi, who.imsi);
  assert.equal(await enrolments.look(operatorId, tokenHash, now), undefined);
  assert.equal(await enrolments.spend(operatorId, tokenHash, now), undefined);
});
