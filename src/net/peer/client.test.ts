/** Another provisioning server as its partner: entered once, and looked at by its reference ever after. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import type { PeerRequest } from "../../kernel/calls/connectors.ts";
import { peerServer } from "./client.ts";

const REFERENCE = "GAMES234";
const REQUEST: PeerRequest = {
  id: "call-1",
  action: "add",
  selection: ["games"],
  subscriber: { imsi: "001019000000001", imei: "356938035643809", msisdn: "882109000001" },
  user: {},
  fields: {},
  language: "en",
  assurance: "otp",
  noticeKey: null,
  reference: null,
};
const STANDS = {
  reference: REFERENCE,
  state: "provisioning",
  reason: "on its way",
  items: [{ catalogId: "games", package: null, state: "sending", reason: "queued", more: "later" }],
};
type Said = readonly [status: number, body: object];
const ENTERED: Said = [202, { id: "0", reference: REFERENCE, created: true }];

async function peerThat(answers: (asked: string) => Said) {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    const line = `${request.method} ${request.url}`;
    asked.push(line);
    const [status, body] = answers(line);
    request.resume().on("end", () => {
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const peer = peerServer({ url: `http://127.0.0.1:${port}`, timeoutMs: 5_000, token: "partner" });
  whenDone(() => {
    peer.close();
    server.closeAllConnections();
    server.close();
  });
  return { peer, asked };
}
const isEntry = (line: string): boolean => line.startsWith("POST");

test("a request is entered, then looked at; one that is known there is looked at alone, however long it takes", async () => {
  const { peer, asked } = await peerThat((line) => (isEntry(line) ? ENTERED : [200, STANDS]));
  const first = await peer.forward(REQUEST);
  assert.deepEqual(first.kind === "forwarded" && [first.reference, first.state], [REFERENCE, "provisioning"]);
  await peer.forward({ ...REQUEST, reference: REFERENCE });
  const look = `GET /v1/partner/requests/${REFERENCE}`;
  assert.deepEqual(asked, ["POST /v1/partner/requests", look, look]);
});

test("what was entered is there, also where the look at it fails", async () => {
  const { peer } = await peerThat((line) => (isEntry(line) ? ENTERED : [503, { code: "starting" }]));
  const answer = await peer.forward(REQUEST);
  assert.deepEqual(answer.kind === "forwarded" && [answer.reference, answer.state], [REFERENCE, "received"]);
  assert.equal((await peer.forward({ ...REQUEST, reference: REFERENCE })).kind, "failed");
});

test("a no to the request is one for good; that an earlier try is being worked on, or that the token is no partner's, is none", async () => {
  for (const [status, code, kind] of [
    [403, "assurance_too_low", "refused"],
    [400, "catalog_item_unknown", "refused"],
    [409, "item_elsewhere", "refused"],
    [409, "request_in_progress", "failed"],
    [403, "role_not_allowed", "failed"],
    [401, "token_unknown", "failed"],
    [503, "starting", "failed"],
  ] as const) {
    const { peer } = await peerThat(() => [status, { code }]);
    const answer = await peer.forward(REQUEST);
    assert.equal(answer.kind, kind, code);
  }
});
