/** Which addresses on a screen a device follows through its proxy, and which not. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { orderPathIn, orderShownBy, serverPathOf } from "./server-path.ts";

const from = {
  proxy: "https://proxy.example",
  server: "one.example:8443",
  path: "/r/one.example%3A8443/d/list",
};
const HERE = "/r/one.example%3A8443";

const good: [string, string, string][] = [
  ["through the proxy already", `${HERE}/d/items?x=1`, `${HERE}/d/items?x=1`],
  ["a path of the screen's own server", "/d/items", `${HERE}/d/items`],
  ["beside the screen", "items", `${HERE}/d/items`],
  ["the same with a query", "?page=2", `${HERE}/d/list?page=2`],
  ["the proxy by its whole address", `https://proxy.example${HERE}/d/x`, `${HERE}/d/x`],
  ["another server in the clear", "https://two.example/d/start", "/r/two.example%3A443/d/start"],
  ["another server by its port", "https://two.example:9443/d/start", "/r/two.example%3A9443/d/start"],
  ["another server through the proxy", "/r/two.example%3A443/d/start", "/r/two.example%3A443/d/start"],
];
for (const [what, href, path] of good) {
  test(`an address is followed through the proxy: ${what}`, () => {
    assert.equal(serverPathOf(href, from)?.path, path);
  });
}

for (const href of [
  "http://two.example/d/start",
  "http://proxy.example/d/start",
  "https://two.example/elsewhere",
  "https://user@two.example/d/start",
  "https://user:pass@proxy.example/d/start",
  "/elsewhere",
  "/r/two.example/d/start",
  "/r/%ZZ/d/start",
  "/r/a%2Fb%3A1/d/start",
  "/d/../r/../x",
  "javascript:alert(1)",
  "https://",
]) {
  test(`an address that leads elsewhere is not followed: ${href}`, () => {
    assert.equal(serverPathOf(href, from), undefined);
  });
}

test("a screen's order is that of its own address, or after a request the one that its addresses name", () => {
  const plain = { id: "x", title: "X", lang: "en", text: [], entries: [] };
  const status = {
    ...plain,
    actions: [{ role: "refresh", label: "Look", href: `${HERE}/d/orders/K7QX4M2P` }],
  } as const;
  assert.equal(orderShownBy(`${HERE}/d/orders/K7QX4M2P/items/1/fields`), "K7QX4M2P");
  assert.equal(orderShownBy(`${HERE}/d/requests`, status), "K7QX4M2P");
  assert.equal(orderShownBy(`${HERE}/d/start`, status), undefined);
  assert.equal(orderPathIn(`${HERE}/d/orders/K7QX4M2P/items/1/content`), `${HERE}/d/orders/K7QX4M2P`);
  assert.equal(orderPathIn(`${HERE}/d/orders/short`), undefined);
});
