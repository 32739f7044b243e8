/**
 * Certificates that the proxy issued itself, taken back: by a list of its own authority, with no responder asked, which would know
 * nothing of them; and by the account, without which they are nobody's.
 */
import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, test } from "vitest";
import {
  IMEI,
  IMSI,
  MSISDN,
  openParties,
  type Parties,
  strangerAuthority,
} from "../../../test/fixture/parties.ts";
import { ocspResponder, revocationListOf } from "../../../test/fixture/revocation.ts";
import { enrol } from "../../client/enrolment.ts";
import { ensureAuthority, type Pair } from "../certificates/certificates.ts";
import { openRevocation } from "../server/revocation.ts";

let folder = "";
let road: Parties;
let responder: Awaited<ReturnType<typeof ocspResponder>>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "turnup-own-lists-"));
  responder = await ocspResponder(strangerAuthority());
  const revocation = await openRevocation(
    {
      ...{ crlPath: folder, ocspUrl: responder.url, ocspFromCertificate: false },
      ...{ revocationWhenAway: "refuse", revocationTimeoutMs: 60_000 }, // no responder here is away
    },
    { now: () => new Date() },
  );
  road = await openParties({ proxy: { revocation } });
  responder.mood.signer = await ensureAuthority(join(road.folder, "factory"), new Date());
  await road.proxy.keepAccounts([{ deviceId: IMEI, imsi: IMSI, msisdn: MSISDN }]);
});
afterAll(async () => {
  await road.close();
  await responder.close();
  await rm(folder, { recursive: true, force: true });
});

const statusOf = (pair: Pair): Promise<number | "cut"> =>
  road.air(road.start(), { pair }).then(
    ({ status }) => status,
    () => "cut" as const,
  );

async function enrolled(): Promise<Pair> {
  const shown = {
    send: async ({ path, method, headers, body }: Parameters<Parameters<typeof enrol>[0]["send"]>[0]) => {
      const answer = await road.air(path, { pair: road.factory, method, headers, body: body ?? "" });
      return { kind: "answer" as const, status: answer.status, contentType: "", body: answer.body };
    },
  };
  const outcome = await enrol(shown, { imei: IMEI });
  assert.equal(outcome.kind, "enrolled");
  return outcome.kind === "enrolled" ? outcome.credential : assert.fail();
}

/** Lists are looked at once a second. */
async function untilStatus(pair: Pair, wanted: number | "cut"): Promise<void> {
  const endsMs = performance.now() + 30_000;
  while ((await statusOf(pair)) !== wanted) {
    assert.ok(performance.now() < endsMs, `the list never led to ${wanted}`);
    await setTimeout(100);
  }
}

/** In the place of the one before, whole. */
async function publish(list: Uint8Array): Promise<void> {
  await writeFile(join(folder, ".next"), list);
  await rename(join(folder, ".next"), join(folder, "own.crl"));
}

test("a certificate that the proxy issued is looked up on lists of its authority alone: one that stands there is cut, and has itself not renewed", async () => {
  const own = await enrolled();
  responder.mood.answer = "unknown";
  const asked = responder.asked();
  assert.equal(await statusOf(own), 200, "no responder knows what the proxy issued");
  assert.equal(responder.asked(), asked);
  const authority = await ensureAuthority(join(road.folder, "enrolment"), new Date());
  await publish(revocationListOf(authority, [own]));
  await untilStatus(own, "cut");
  assert.equal(road.records.at(-1)?.reason, "certificate_refused");
  const renewal = road.air("/.well-known/est/simplereenroll", { pair: own, method: "POST", body: "x" });
  await assert.rejects(renewal, "no answer to whoever shows it");
  await publish(revocationListOf(authority, []));
  await untilStatus(own, 200);
});

test("a device that its operator takes back is refused with the certificate that the proxy issued, and with the next it asks for", async () => {
  responder.mood.answer = "true";
  const own = await enrolled();
  assert.equal(await statusOf(own), 200);
  await road.proxy.setBlocked(IMEI, true);
  assert.equal(await statusOf(own), 403);
  assert.equal(road.records.at(-1)?.reason, "device_blocked");
  const renewal = await road.air("/.well-known/est/simplereenroll", { pair: own, method: "POST", body: "x" });
  assert.ok(renewal.status >= 400, String(renewal.status));
});
