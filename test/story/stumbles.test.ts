/**
 * A server whose database fails it for a moment, between a claim and the booking of what came of it, goes on by itself: what it
 * had claimed waits for no lease to lapse, while the server that has it lives.
 */
import assert from "node:assert/strict";
import { test } from "vitest";
import { itemOf, storyFixture } from "../fixture/story.ts";

/** A booking of this kind fails once, whatever is in it: a fault of one statement, as a lock that is not given in time is. */
const failsOnce = (name: string, event: string, when: string): string => `
  create sequence ${name}_count;
  create function ${name}() returns trigger language plpgsql as $$
  begin
    if nextval('${name}_count') = 1 then raise exception 'this one fails' using errcode = '55P03'; end if;
    return new;
  end $$;
  create trigger ${name} before ${event} for each row ${when} execute function ${name}()`;

test("parts that could not be booked go out again at once, octet for octet, and what waits for them ends", async () => {
  const fixture = await storyFixture();
  await fixture.database.run(failsOnce("stumble", "insert on message_part", ""));
  const operator = await fixture.operator();
  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  assert.deepEqual([itemOf(story, "key").state, itemOf(story, "settings").state], ["works", "works"]);
  const octets = fixture.accepted.map(({ to, userData }) => `${to} ${Buffer.from(userData).toString("hex")}`);
  assert.ok(new Set(octets).size < octets.length, "something went out twice");
  assert.equal(phone.did("repeated").length + phone.did("applied").length >= 2, true);
  assert.equal(phone.status().settingsApplied, 1);
});

test("an answer of another company that could not be booked is asked for again at once, under the same id", async () => {
  const fixture = await storyFixture();
  const isFee = "when (old.kind = 'fee_request' and new.state = 'done')";
  await fixture.database.run(failsOnce("stumble", "update on outbound_call", isFee));
  const operator = await fixture.operator();
  const phone = fixture.phone("G2");
  await phone.attach();
  const story = await operator.settled(phone);
  const fee = story.calls.find(({ kind }: { readonly kind: string }) => kind === "fee_request");
  assert.deepEqual([fee.state, fee.attempts], ["done", 2]);
  const paid = fixture.world.parties.bank.ledger().filter(({ kind }) => kind === "charge");
  assert.equal(paid.length, 1);
});
