/** Hosts and URLs of the configuration: what nobody could reach is told at the start, not at the first message. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { isDatabaseUrl, isHost, isReachableUrl } from "./forms.ts";

const hosts: [string, boolean][] = [
  ["localhost", true],
  ["smsc-1.example.net", true],
  ["smsc.example.net.", true],
  ["SMSC.EXAMPLE", true],
  ["smsc_1", true],
  ["bücher.example", true],
  ["192.0.2.7", true],
  ["2001:db8::1", true],
  ["::", true],
  ["0.0.0.0", true],
  ["999.1.2.3", false],
  ["256.0.0.1", false],
  ["1.2.3", false],
  ["1.2.3.4.5", false],
  ["010.0.0.1", false],
  ["0x7f.1", false],
  ["127", false],
  ["[::1]", false],
  ["localhost:8080", false],
  ["http://localhost", false],
  ["a..b", false],
  ["-a.example", false],
  ["a-.example", false],
  ["a b", false],
  ["2001:db8::g", false],
  ["", false],
];
for (const [host, want] of hosts)
  test(`"${host}" is ${want ? "a host" : "no host"}`, () => assert.equal(isHost(host), want));

const urls: [string, boolean][] = [
  ["https://care.example", true],
  ["https://care.example:8443/base?x=1", true],
  ["http://127.0.0.1:8080", true],
  ["http://[::1]:8080/x", true],
  ["https://user:word@care.example/", true],
  ["https://999.1.2.3/", false],
  ["https://1.2.3/", false],
  ["https://care.example:99999", false],
  ["https://care.example:0", false],
  ["https://[::1", false],
  ["https://", false],
  ["https://a..b/", false],
  ["care.example", false],
];
for (const [url, want] of urls)
  test(`"${url}" ${want ? "can" : "cannot"} be reached`, () => assert.equal(isReachableUrl(url), want));

const databases: [string, boolean][] = [
  ["postgres://user:word@db.example:5432/turnup", true],
  ["postgresql://db.example/turnup?sslmode=require", true],
  ["postgres://user:w ord@[::1]/turnup", true],
  ["postgres://user:word@%2Fvar%2Frun%2Fpostgresql/turnup", true],
  ["postgres://user:word@/turnup?host=/var/run/postgresql", true],
  ["postgres:///turnup?host=/var/run/postgresql", true],
  ["socket:/var/run/postgresql?db=turnup", true],
  ["postgres://db.example:99999/turnup", false],
  ["postgres://db.example:0/turnup", false],
  ["postgres://db.example:port/turnup", false],
  ["postgres://999.1.2.3/turnup", false],
  ["postgres://one,other/turnup", false],
  ["postgres://user@[::1/turnup", false],
];
for (const [url, want] of databases)
  test(`"${url}" ${want ? "may be" : "is no"} database`, () => assert.equal(isDatabaseUrl(url), want));
