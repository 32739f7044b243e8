/** What a server that keeps modules may answer, and what is taken of it. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "vitest";
import { whenDone } from "../../../test/fixture/when-done.ts";
import { MAX_MODULE_OCTETS } from "../../wire/message/module.ts";
import { fetchModule } from "./fetch-module.ts";

async function keeper(answer: RequestListener): Promise<string> {
  const server = createServer(answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  whenDone(() => new Promise<void>((closed) => void server.close(() => closed())));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/module`;
}

test("the octets of a module come as they are kept, up to what a module may have", async () => {
  const most = new Uint8Array(MAX_MODULE_OCTETS).fill(7);
  const url = await keeper((_, answer) => answer.end(most));
  assert.deepEqual(await fetchModule(url), most);
});

test("a module of one octet more than a module may have is not taken", async () => {
  const url = await keeper((_, answer) => answer.end(new Uint8Array(MAX_MODULE_OCTETS + 1)));
  await assert.rejects(fetchModule(url), /octets/);
});

test("nobody is followed to another address than the catalog's, and a refusal is no module", async () => {
  let followed = 0;
  const elsewhere = await keeper((_, answer) => {
    followed += 1;
    answer.end("other octets");
  });
  const redirecting = await keeper((_, answer) => answer.writeHead(302, { location: elsewhere }).end());
  await assert.rejects(fetchModule(redirecting));
  assert.equal(followed, 0);
  const refusing = await keeper((_, answer) => answer.writeHead(404).end("not here"));
  await assert.rejects(fetchModule(refusing), /404/);
});
