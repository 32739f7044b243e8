/** Several HTTP requests on one connection, each with its own answer. */
import assert from "node:assert/strict";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, test } from "vitest";
import { createPipeline } from "./pipeline.ts";

const closers: (() => void)[] = [];
afterEach(() => {
  for (const close of closers.splice(0).reverse()) close();
});

async function pipelineTo(onRequests: (socket: Socket, text: string) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("data", (data) => onRequests(socket, data.toString()));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const pipeline = createPipeline({ host: "127.0.0.1", port: (server.address() as AddressInfo).port });
  closers.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  }, pipeline.close);
  return pipeline;
}
const ok = (body: string) => `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

test("an answer may come octet by octet, two may come in one piece, and each finds its asker", async () => {
  const pipeline = await pipelineTo((socket, text) => {
    const names = [...text.matchAll(/GET \/(\w+) /g)].map(([, name]) => name!);
    const answers = Buffer.from(names.map((name) => ok(`é${name}`)).join(""));
    if (names.includes("slow")) for (const octet of answers) socket.write(Uint8Array.of(octet));
    else socket.write(answers);
  });
  const names = ["slow", ...Array.from({ length: 40 }, (_, at) => `n${at}`)];
  const answers = await Promise.all(names.map((name) => pipeline.send("GET", `/${name}`, "", "")));
  assert.deepEqual(
    answers.map(({ body }) => body),
    names.map((name) => `é${name}`),
  );
});

test("a connection that breaks fails what waits on it, and the next request opens another", async () => {
  let requests = 0;
  const pipeline = await pipelineTo((socket) => {
    if (++requests === 1) socket.destroy();
    else socket.write(ok("back"));
  });
  await assert.rejects(pipeline.send("GET", "/", "", ""));
  for (let again = 0; again < 9; again++)
    assert.equal((await pipeline.send("GET", "/", "", "")).body, "back");
});

test("an answer of no stated length, or too long a one, is refused", async () => {
  const pipeline = await pipelineTo((socket, text) =>
    socket.write(
      text.includes("/long")
        ? "HTTP/1.1 200 OK\r\nContent-Length: 999999\r\n\r\n"
        : "HTTP/1.1 200 OK\r\n\r\n",
    ),
  );
  await assert.rejects(pipeline.send("GET", "/", "", ""), /Content-Length/);
  await assert.rejects(pipeline.send("GET", "/long", "", ""), /too long/);
});
