/** Doors that ask for a certificate: one block of TLS for all of them, and no ticket that outlives a certificate. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { test } from "vitest";
import { pairOf, strangerAuthority } from "../../test/fixture/parties.ts";
import { mutualTls } from "./mutual-tls.ts";

test("every door that asks for a certificate has its TLS from one place", () => {
  const asking = readdirSync(import.meta.dirname, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".test.ts"))
    .filter((name) => readFileSync(join(import.meta.dirname, name), "utf8").includes("requestCert:"));
  assert.deepEqual(asking, ["mutual-tls.ts"]);
});

test("no session goes on behind a ticket: each connection shows its certificate anew", async () => {
  const authority = strangerAuthority();
  const own = pairOf(authority, { purpose: "server", names: [{ kind: "dns", name: "localhost" }] });
  const client = pairOf(authority);
  const door = createServer(mutualTls({ ...own, authorities: authority.certificate }), (_, answer) => {
    answer.end("let in");
  });
  await new Promise<void>((listening) => door.listen(0, "127.0.0.1", listening));
  const { port } = door.address() as AddressInfo;
  const visit = (session?: Buffer) =>
    new Promise<{ answer: string; isReused: boolean; ticket: Buffer | undefined }>((resolve, reject) => {
      const socket = connect({
        ...{ port, host: "127.0.0.1", servername: "localhost", ca: authority.certificate },
        ...{ cert: client.certificate, key: client.key },
        ...(session && { session }),
      });
      let [answer, isReused] = ["", false];
      let ticket: Buffer | undefined;
      socket.on("session", (given: Buffer) => {
        ticket = given;
      });
      socket.on("secureConnect", () => {
        isReused = socket.isSessionReused();
        socket.write("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      });
      socket.setEncoding("utf8").on("data", (text: string) => {
        answer += text;
      });
      socket.once("close", () => resolve({ answer, isReused, ticket })).once("error", reject);
    });
  try {
    const first = await visit();
    assert.match(first.answer, /let in/);
    assert.ok(first.ticket, "what a client would try to go on with");
    const again = await visit(first.ticket);
    assert.match(again.answer, /let in/);
    assert.equal(again.isReused, false);
  } finally {
    await new Promise((closed) => door.close(closed));
  }
});
