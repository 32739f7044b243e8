/** Hosts: leading zeros are decimal, and digits that are no address are refused. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { hostOf, plainUrl } from "./host.ts";

const HOSTS = [
  { text: "010.010.010.011", kind: "ipv4", address: "10.10.10.11" },
  { text: "192.168.094.023", kind: "ipv4", address: "192.168.94.23" },
  { text: "000.0.0.0", kind: "ipv4", address: "0.0.0.0" },
  { text: "2001:0DB8:0:0::1", kind: "ipv6", address: "2001:db8::1" },
  { text: "[2001:db8::1]", kind: "ipv6", address: "2001:db8::1" },
  { text: "proxy_1.example", kind: "name", address: "proxy_1.example" },
];
for (const { text, ...host } of HOSTS) {
  test(`the host ${text} is sent as ${host.address}`, () => assert.deepEqual(hostOf(text), host));
}

test("digits and dots that are no IPv4 address, and what else is no host, are refused", () => {
  for (const text of [
    "999.1.2.3",
    "10.152.10.70.38090",
    "10.0.0",
    "1.2.3.0004",
    "10..0.1",
    "2001:db8",
    "::g",
    "",
    "a b",
  ])
    assert.equal(hostOf(text), undefined, text);
});

test("of a URL the host alone is rewritten, and a URL without one is refused", () => {
  assert.equal(plainUrl("http://010.1.2.3:8080/mms?x=010.1.2.3"), "http://10.1.2.3:8080/mms?x=010.1.2.3");
  assert.equal(plainUrl("http://mms.example/servlets/mms"), "http://mms.example/servlets/mms");
  assert.equal(plainUrl("wap.example/010"), "wap.example/010");
  assert.equal(plainUrl("http://[2001:DB8::1]:80/"), "http://[2001:db8::1]:80/");
  for (const text of ["http://10.152.10.70.38090", "http://999.1.2.3/", "http:///mms", ""])
    assert.equal(plainUrl(text), undefined, text);
});
