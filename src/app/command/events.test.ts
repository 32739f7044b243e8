/** `turnup events` goes on where a stream broke off, prints nothing twice, and never takes a part for the whole. */
import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import { afterAll, test } from "vitest";
import { runWith } from "../../../test/fixture/cli-io.ts";
import { portOf } from "../server/address.ts";
import { eventsCommand } from "./events.ts";

const ENTRIES = [{ name: "events", summary: "", load: async () => eventsCommand }];
const POSITIONS = ["A".repeat(60), "B".repeat(60), "C".repeat(60)];
const frameOf = (at: number): string => {
  const event = {
    specversion: "1.0",
    id: `e${at}`,
    type: "turnup.item.works",
    subject: "orders/1",
    position: POSITIONS[at],
  };
  const data = { ...event, time: "2026-11-22T12:00:00Z", data: { reason: `event ${at}` } };
  return `id: ${POSITIONS[at]}\nevent: ${event.type}\ndata: ${JSON.stringify(data)}\n\n`;
};

/** Answers one stream after another, and remembers what was asked. */
async function serverOf(answers: readonly ((response: ServerResponse) => void)[]) {
  const asked: (string | null)[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? "/", "http://localhost").searchParams.get("after"));
    response.setHeader("content-type", "text/event-stream");
    const answer = answers[asked.length - 1];
    if (answer) answer(response);
    else response.writeHead(500).end();
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", () => listening(undefined)));
  afterAll(() => server.close());
  return { asked, env: { TURNUP_URL: `http://127.0.0.1:${portOf(server)}`, TURNUP_TOKEN: "token" } };
}

test("who follows goes on behind the last whole event, and hears when the token opens nothing any more", async () => {
  const { asked, env } = await serverOf([
    (response) => response.end(`retry: 1000\n\n${frameOf(0)}${frameOf(1).slice(0, -20)}`),
    (response) => response.end(`${frameOf(1)}id: ${POSITIONS[2]}\n\n`),
    (response) => response.end('event: end\ndata: {"code":"token_revoked"}\n\n'),
  ]);
  const run = await runWith(ENTRIES, ["events", "--follow", "--after", "start"], "", { env });
  assert.match(run.stdout, /^[^\n]*event 0\n[^\n]*event 1\n$/);
  assert.deepEqual(asked, ["start", POSITIONS[0], POSITIONS[2]]);
  assert.match(run.stderr, /^token_revoked/);
  assert.notEqual(run.exitCode, 0);
});

test("a list that broke off is never told as whole", async () => {
  const { env } = await serverOf([
    (response) => {
      response.write(frameOf(0));
      setImmediate(() => response.destroy());
    },
  ]);
  const run = await runWith(ENTRIES, ["events"], "", { env });
  assert.match(run.stderr, /^dependency_unavailable/);
  assert.notEqual(run.exitCode, 0);
  const ended = await serverOf([
    (response) => response.end(`${frameOf(0)}event: end\ndata: {"code":"token_expired"}\n\n`),
  ]);
  const refused = await runWith(ENTRIES, ["events"], "", { env: ended.env });
  assert.match(refused.stderr, /^token_expired/);
});
