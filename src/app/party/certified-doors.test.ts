/**
 * Every door that asks for certificates, and every certificate that is none for it, on real TLS: one row a door, one row a
 * fault. A stranger ends in the handshake and is counted by its cause; a certificate of somebody else is answered, and no more.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { Agent, request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, test } from "vitest";
import { openFixture } from "../../../test/fixture/http.ts";
import {
  IMEI,
  IMSI,
  MSISDN,
  OTHER_IMEI,
  openParties,
  type Parties,
  PROXY_ID,
  pairOf,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import { revocationListOf } from "../../../test/fixture/revocation.ts";
import { HANDSHAKE_CAUSES, type HandshakeCause, noRefusals } from "../../http/handshakes.ts";
import { createPartnerDoor } from "../../http/partner-door.ts";
import { parseImei } from "../../term/imei.ts";
import { imeiNameOf, proxyNameOf } from "../../wire/message/party-name.ts";
import type { CertificateRequest, SubjectName } from "../../wire/x509/certificate.ts";
import {
  ensureAuthority,
  ensureMakerCertificates,
  ensurePartyCertificates,
  type Pair,
} from "../certificates/certificates.ts";
import { portOf, urlOf } from "../server/address.ts";
import { openRevocation, type Revocation } from "../server/revocation.ts";
import { startMaker } from "./maker.ts";
import { startService } from "./service.ts";

const DAY_MS = 86_400_000;
const SECRET = "secret of the matrix";
type Counts = Readonly<Record<HandshakeCause, number>>;
type Door = {
  readonly url: string;
  /** Signs those who may come. */
  readonly authority: Pair;
  /** PEM: by whom the door itself is trusted. */
  readonly trustedBy: string;
  readonly name: SubjectName;
  readonly otherName: SubjectName;
  readonly commonName: string;
  readonly path: string;
  counts(): Promise<Counts>;
};

const uri = (text: string): SubjectName => ({ kind: "uri", uri: text });
const named = { clients: new Map<string, string>() };
const api = await openFixture({ partners: named });
const closers: (() => Promise<void>)[] = [];
let folder = "";
let lists = "";
let revocation: Revocation;
const TLS = {
  ocspUrl: undefined,
  ocspFromCertificate: false,
  revocationWhenAway: "refuse",
  revocationTimeoutMs: 2_000,
} as const;
let road: Parties;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-doors-"));
  closers.push(() => rm(folder, { recursive: true, force: true }));
  lists = await mkdtemp(join(folder, "lists-"));
  revocation = await openRevocation({ ...TLS, crlPath: lists }, { now: () => new Date() });
  road = await openParties({
    revocation,
    proxy: { manageDoor: { host: "127.0.0.1", port: 0, secret: SECRET } },
  });
  closers.push(() => road.close());
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
});
afterAll(async () => {
  for (const close of closers.reverse()) await close();
});

/** What Prometheus is told at the door for the proxy's operator. */
async function measured(door: string): Promise<Counts> {
  const url = new URL("/metrics", road.proxy.manageUrl);
  const { body } = await visit(url, {
    ca: road.certificates.proxy.airAuthority,
    headers: { authorization: `Bearer ${SECRET}` },
  });
  return countsOf((cause) =>
    Number(
      new RegExp(`^turnup_handshakes_refused_total\\{door="${door}",cause="${cause}"\\} (\\d+)$`, "m").exec(
        body,
      )?.[1],
    ),
  );
}
const countsOf = (count: (cause: HandshakeCause) => number): Counts =>
  Object.fromEntries(HANDSHAKE_CAUSES.map((cause) => [cause, count(cause)])) as Record<
    HandshakeCause,
    number
  >; // all of them

/** One row a door. */
const DOORS: Readonly<Record<string, () => Promise<Door>>> = {
  "the proxy's, for devices and EST": async () => ({
    url: road.proxy.url,
    authority: await ensureAuthority(join(road.folder, "factory"), new Date()),
    trustedBy: road.certificates.proxy.airAuthority,
    name: uri(imeiNameOf(parseImei(IMEI))),
    otherName: uri(imeiNameOf(parseImei(OTHER_IMEI))),
    commonName: "device",
    path: road.start(),
    counts: () => measured("air"),
  }),
  "the server's, for proxies": async () => ({
    url: road.land.url,
    authority: await ensureAuthority(join(road.folder, "proxy"), new Date()),
    trustedBy: road.certificates.land.serverAuthority,
    name: uri(proxyNameOf(PROXY_ID)),
    otherName: uri(proxyNameOf("edge-2")),
    commonName: PROXY_ID,
    path: "/d/start",
    counts: async () =>
      countsOf((cause) => road.refusals.filter(({ handshake }) => handshake === cause).length),
  }),
  "the manufacturer's, for operators": async () => {
    const inside = join(folder, "maker");
    const certificates = await ensureMakerCertificates({
      ...{ folder: join(inside, "certificates"), clientIds: ["north"], now: new Date() },
    });
    const maker = await startMaker({
      port: 0,
      certificates,
      journalFolder: join(inside, "journal"),
      policy: MAKER,
      revocation: revocation.check,
    });
    closers.push(maker.close);
    return {
      ...(await operatorsDoor(join(inside, "certificates"))),
      url: maker.url,
      path: "/healthz",
      counts: async () => maker.refusals(),
    };
  },
  "the API's, for partners": async () => {
    const partners = strangerAuthority();
    const record = [...api.records.values()].find(({ role }) => role === "partner");
    assert.ok(record);
    const counts = { ...noRefusals() };
    const door = createPartnerDoor({
      app: api.server,
      tls: {
        ...pairOf(partners, {
          purpose: "server",
          names: [{ kind: "ip", octets: Uint8Array.of(127, 0, 0, 1) }],
        }),
        authorities: partners.certificate,
      },
      revocation: revocation.check,
      onRefused: ({ cause }) => void counts[cause]++,
    });
    door.server.listen(0, "127.0.0.1");
    await once(door.server, "listening");
    closers.push(door.close);
    named.clients = new Map([["dns:shop.example", record.id]]);
    return {
      url: urlOf("https", "127.0.0.1", portOf(door.server)),
      authority: partners,
      trustedBy: partners.certificate,
      name: { kind: "dns", name: "shop.example" },
      otherName: { kind: "dns", name: "other.example" },
      commonName: "shop",
      path: "/v1/partner/requests",
      counts: async () => ({ ...counts }),
    };
  },
  "the service server's, for operators": async () => {
    const inside = join(folder, "service");
    const certificates = await ensurePartyCertificates({
      ...{
        folder: join(inside, "certificates"),
        clientIds: ["north"],
        commonName: "Service",
        now: new Date(),
      },
    });
    const service = await startService({
      ...{ port: 0, certificates, journalFolder: join(inside, "journal"), clientIds: ["north"] },
      revocation: revocation.check,
      services: { "/scim/v2": { accessUrl: "https://mailbox.example/in", fields: [] } },
    });
    closers.push(service.close);
    return {
      ...(await operatorsDoor(join(inside, "certificates"))),
      url: service.url,
      path: "/scim/v2/ServiceProviderConfig",
      counts: async () => service.refusals(),
    };
  },
};
const MAKER: Parameters<typeof startMaker>[0]["policy"] = {
  ...{
    issuer: "maker-one",
    makes: ["Nokia"],
    deleteAfterUse: true,
    allowModelOnly: false,
    validityMs: DAY_MS,
  },
  clients: [{ id: "north", feeMinor: 300, portionBasisPoints: 4_000, currency: "EUR" }],
  modelOf: () => undefined,
  offerOf: () => undefined,
};
async function operatorsDoor(certificates: string) {
  const authority = await ensureAuthority(certificates, new Date());
  return {
    authority,
    trustedBy: authority.certificate,
    name: uri("urn:turnup:client:north"),
    otherName: uri("urn:turnup:client:south"),
    commonName: "north",
  };
}

/** One row a fault: whom it is shown by, and where it ends. */
type Faults = Partial<Pick<CertificateRequest, "purpose" | "notBefore" | "notAfter">>;
type Fault = {
  readonly pair?: (door: Door) => Pair;
  readonly maxVersion?: "TLSv1.1" | "TLSv1.2";
  readonly cause: HandshakeCause;
};
const good = ({ authority, commonName, name }: Door, faults: Faults = {}): Pair =>
  pairOf(authority, { commonName, names: [name], ...faults });
const FAULTS: Readonly<Record<string, Fault>> = {
  "of a stranger's authority": {
    pair: (door) => good({ ...door, authority: strangerAuthority() }),
    cause: "wrong_authority",
  },
  "of an authority, which signs others": { pair: () => strangerAuthority(), cause: "wrong_purpose" },
  "that has expired": {
    pair: (door) =>
      good(door, { notBefore: new Date(Date.now() - 9 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) }),
    cause: "expired",
  },
  "that is not yet good": {
    pair: (door) => good(door, { notBefore: new Date(Date.now() + DAY_MS / 2) }),
    cause: "not_yet_valid",
  },
  "of a server": { pair: (door) => good(door, { purpose: "server" }), cause: "wrong_purpose" },
  "that is good, by TLS 1.2": { pair: good, maxVersion: "TLSv1.2", cause: "older_tls" },
};

type Visit = { readonly status: number | "cut"; readonly body: string };
function visit(url: URL, options: Parameters<typeof request>[1]): Promise<Visit> {
  return new Promise((resolve) => {
    const asked = request(url, { agent: false, ...options }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("end", () =>
        resolve({ status: answer.statusCode ?? 0, body: Buffer.concat(chunks).toString("utf8") }),
      );
      answer.on("error", () => resolve({ status: "cut", body: "" }));
    });
    asked.on("error", () => resolve({ status: "cut", body: "" }));
    asked.end();
  });
}
const show = (door: Door, pair: Pair | undefined, maxVersion?: Fault["maxVersion"]): Promise<Visit> =>
  visit(new URL(door.path, door.url), {
    ca: door.trustedBy,
    ...(pair && { key: pair.key, cert: pair.certificate }),
    ...(maxVersion && { maxVersion }),
  });
const total = (counts: Counts): number => HANDSHAKE_CAUSES.reduce((sum, cause) => sum + counts[cause], 0);

/** A list in the place of the one before, whole. */
async function publish(list: Uint8Array): Promise<void> {
  const next = join(lists, ".next");
  await writeFile(next, list);
  await rename(next, join(lists, "authority.crl"));
}
async function untilStatus(isWanted: (status: Visit["status"]) => boolean, asked: () => Promise<Visit>) {
  const endsMs = performance.now() + 20_000;
  while (!isWanted((await asked()).status)) {
    assert.ok(performance.now() < endsMs, "the list came into force");
    await setTimeout(100);
  }
}

for (const [name, open] of Object.entries(DOORS)) {
  let door: Door;
  beforeAll(async () => {
    door = await open();
  });

  test(`${name}: a right certificate is let in, and nobody is counted`, async () => {
    const before = total(await door.counts());
    assert.notEqual((await show(door, good(door))).status, "cut");
    assert.equal(total(await door.counts()), before);
  });

  for (const [fault, { pair, maxVersion, cause }] of Object.entries(FAULTS))
    test(`${name}: a certificate ${fault} gets no answer, and is counted as ${cause}`, async () => {
      const before = await door.counts();
      assert.equal((await show(door, pair?.(door), maxVersion)).status, "cut");
      const after = await door.counts();
      assert.equal(after[cause], before[cause] + 1, JSON.stringify(after));
      assert.equal(total(after), total(before) + 1);
    });

  test(`${name}: without a certificate nothing is had`, async () => {
    const before = await door.counts();
    const { status } = await show(door, undefined);
    // A device without one may ask for one: it is told that it needs it.
    if (door.url === road.proxy.url) return assert.equal(status, 403);
    assert.equal(status, "cut");
    assert.equal((await door.counts()).no_certificate, before.no_certificate + 1);
  });

  test(`${name}: a certificate that its authority takes back is cut from then on, on an open connection too; a list that lapsed lets nobody in`, async () => {
    const [taken, other] = [good(door), good(door)];
    const tls = { ca: door.trustedBy, key: taken.key, cert: taken.certificate };
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ...tls });
    const onOpen = () => visit(new URL(door.path, door.url), { agent });
    assert.notEqual((await onOpen()).status, "cut");
    await publish(revocationListOf(door.authority, [taken]));
    const before = await door.counts();
    await untilStatus((status) => status === "cut", onOpen);
    assert.equal((await door.counts()).revoked, before.revoked + 1);
    assert.equal((await show(door, taken)).status, "cut");
    assert.equal((await door.counts()).revoked, before.revoked + 2);
    assert.notEqual((await show(door, other)).status, "cut", "the others of its authority come in");
    await publish(revocationListOf(door.authority, [], { nextUpdate: new Date(Date.now() - 1_000) }));
    await untilStatus(
      (status) => status === "cut",
      () => show(door, other),
    );
    assert.equal((await door.counts()).revocation_unknown, before.revocation_unknown + 1);
    await publish(revocationListOf(door.authority, []));
    await untilStatus(
      (status) => status !== "cut",
      () => show(door, other),
    );
    agent.destroy();
  });

  test(`${name}: a good certificate in another's name is told so, and opens nothing`, async () => {
    const { status } = await show(door, good({ ...door, name: door.otherName, commonName: "somebody" }));
    assert.ok(status === 401 || status === 403, String(status));
  });
}

test("an address that shows false certificates without end is counted on, and writes no more records", async () => {
  const [records, before] = [road.records.length, await measured("air")];
  for (let time = 0; time < 60; time++) {
    const door = await DOORS["the proxy's, for devices and EST"]?.();
    if (door) await show(door, pairOf(strangerAuthority()));
  }
  assert.equal((await measured("air")).wrong_authority, before.wrong_authority + 60);
  assert.ok(road.records.length - records <= 50, "as many as lock an address out");
});
