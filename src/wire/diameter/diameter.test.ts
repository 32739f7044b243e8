/** Messages as freeDiameter, python-diameter and go-diameter wrote them, and messages that are none. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DIAMETER_VECTORS } from "../../../test/vector/diameter.ts";
import { bytesOf, hexOf } from "../hex.ts";
import {
  avpOf,
  avpsIn,
  DiameterError,
  decodeDiameter,
  encodeAvp,
  encodeDiameter,
  messageLength,
  numberOf,
  RESULT,
  textOf,
  unsigned32,
  utf8,
  wholeOf,
} from "./message.ts";
import {
  AVP,
  addressValue,
  answeringAs,
  encodeEquipmentAnswer,
  encodeEquipmentCheck,
  encodeFault,
  ME_IDENTITY_CHECK,
  offersS13,
  readEquipmentAnswer,
  readEquipmentCheck,
  S13_APPLICATION,
  VENDOR_3GPP,
} from "./s13.ts";

const named = (id: string) => {
  const { hex } = DIAMETER_VECTORS.find((vector) => vector.id === id) ?? assert.fail(id);
  return decodeDiameter(bytesOf(hex));
};
const EIR = {
  originHost: "eir.epc.mnc001.mcc001.3gppnetwork.org",
  originRealm: "epc.mnc001.mcc001.3gppnetwork.org",
};
const answering = answeringAs(EIR);

for (const { id, hex, meaning } of DIAMETER_VECTORS)
  test(`Diameter as others sent it: ${id}`, () => {
    const octets = bytesOf(hex);
    assert.equal(messageLength(octets, 0), octets.length);
    const message = decodeDiameter(octets);
    const whole = message.avps.map((avp) => wholeOf(octets, avp));
    assert.equal(hexOf(encodeDiameter(message, whole)), hex, "octet for octet what was read");
    const said = (name: string): unknown => meaning[name] ?? undefined;
    if (said("originHost")) {
      const origin = avpOf(message, AVP.originHost);
      assert.equal(origin && textOf(octets, origin), said("originHost"));
    }
    if (said("resultCode")) {
      const result = avpOf(message, AVP.result);
      assert.equal(result && numberOf(octets, result), said("resultCode"));
    }
    if (said("equipmentStatus")) {
      const word = { "0 WHITELISTED": "white", "1 BLACKLISTED": "black", "2 GREYLISTED": "grey" };
      assert.equal(readEquipmentAnswer(message), word[said("equipmentStatus") as keyof typeof word]);
    }
    if (meaning.cmd !== "ECR" || "expect" in meaning) return;
    const check = readEquipmentCheck(message);
    if ("imei14" in meaning) assert.equal(check.imei?.slice(0, 14), said("imei14"));
    if ("svn" in meaning) assert.equal(check.softwareVersion, said("svn"));
    if ("imsi" in meaning) assert.equal(check.imsi, said("imsi"));
  });

test("the answer to a freeDiameter MME is octet for octet the one that python-diameter gave", () => {
  for (const [asked, answered, status] of [
    ["dia-ecr-fd-15", "dia-eca-pd-white", "white"],
    ["dia-ecr-fd-black", "dia-eca-pd-black", "black"],
  ] as const)
    assert.equal(
      hexOf(encodeEquipmentAnswer(named(asked), status, answering)),
      hexOf(named(answered).octets),
    );
});

test("an answer bears the agents' Proxy-Info in their order and the priority, and no Route-Record", () => {
  const asked = named("dia-pd-ecrproxy");
  const answer = decodeDiameter(encodeEquipmentAnswer(asked, "unknown", answering));
  const of = (message: typeof asked, code: number) =>
    message.avps.filter((avp) => avp.code === code).map((avp) => hexOf(wholeOf(message.octets, avp)));
  assert.equal(of(asked, AVP.proxyInfo).length, 2);
  assert.deepEqual(of(answer, AVP.proxyInfo), of(asked, AVP.proxyInfo));
  assert.deepEqual(of(answer, AVP.priority), of(asked, AVP.priority));
  assert.deepEqual(of(answer, AVP.routeRecord), []);
  assert.deepEqual(of(answer, AVP.result), [], "an experimental result stands in its place");
  assert.equal(readEquipmentAnswer(answer), "unknown");
  assert.equal(answer.avps[0]?.code, AVP.session);
});

const fault = (work: () => unknown): DiameterError => {
  try {
    work();
  } catch (error) {
    if (error instanceof DiameterError) return error;
    throw error;
  }
  return assert.fail("it was taken");
};
const of3gpp = (code: number, value: Uint8Array) => encodeAvp(code, value, { vendor: VENDOR_3GPP });
/** The AVPs of a good question, and whatever else. */
function question(...more: readonly Uint8Array[]) {
  const good = named("dia-ecr-fd-15");
  return decodeDiameter(
    encodeDiameter(good, [...good.avps.map((avp) => wholeOf(good.octets, avp)), ...more]),
  );
}
function without(code: number) {
  const good = named("dia-ecr-fd-15");
  const rest = good.avps.filter((avp) => avp.code !== code).map((avp) => wholeOf(good.octets, avp));
  return decodeDiameter(encodeDiameter(good, rest));
}

test("an empty Terminal-Information lacks its IMEI, and the answer shows which AVP was wanted", () => {
  const empty = named("dia-pd-ecrempty");
  const met = fault(() => readEquipmentCheck(empty));
  assert.equal(met.result, RESULT.missingAvp);
  assert.equal(hexOf(met.failed ?? new Uint8Array()), hexOf(of3gpp(1_402, new Uint8Array(0))));
  const answer = decodeDiameter(encodeFault(empty, empty.avps, met, answering));
  assert.equal(readEquipmentAnswer(answer), RESULT.missingAvp);
  assert.equal(answer.flags, 0x40, "a fault of an AVP is no protocol error");
});

for (const [name, code] of [
  ["Session-Id", AVP.session],
  ["Origin-Host", AVP.originHost],
  ["Origin-Realm", AVP.originRealm],
  ["Destination-Realm", AVP.destinationRealm],
  ["Auth-Session-State", AVP.authSessionState],
  ["Terminal-Information", 1_401],
] as const)
  test(`a question without ${name} is told so`, () => {
    const met = fault(() => readEquipmentCheck(without(code)));
    assert.equal(met.result, RESULT.missingAvp);
    assert.match(met.message, new RegExp(name));
  });

test("what cannot be passed over is refused with the AVP that failed; what can be is", () => {
  assert.equal(
    readEquipmentCheck(question(encodeAvp(9_999, utf8("x"), { isMandatory: false }))).imsi,
    "001010000000001",
  );
  const unknown = encodeAvp(9_999, utf8("x"));
  const met = fault(() => readEquipmentCheck(question(unknown)));
  assert.deepEqual([met.result, hexOf(met.failed ?? unknown)], [RESULT.avpUnsupported, hexOf(unknown)]);
  const twice = encodeAvp(AVP.userName, utf8("234150000000001"));
  assert.equal(fault(() => readEquipmentCheck(question(twice))).result, RESULT.avpOccursTooManyTimes);
});

test("an IMEI has 14 to 16 digits, whatever its last says; a SIM that cannot be read is left out", () => {
  const asked = (imei: string, user = "234150000000001") => {
    const good = named("dia-ecr-fd-15");
    const rest = good.avps.filter(({ code }) => code !== 1_401 && code !== AVP.userName);
    return readEquipmentCheck(
      decodeDiameter(
        encodeDiameter(good, [
          ...rest.map((avp) => wholeOf(good.octets, avp)),
          of3gpp(1_401, of3gpp(1_402, utf8(imei))),
          encodeAvp(AVP.userName, utf8(user)),
        ]),
      ),
    );
  };
  for (const imei of ["35693803564380", "356938035643800", "3569380356438001"])
    assert.equal(asked(imei).imei, imei);
  for (const imei of ["3569380356438", "35693803564380 ", "35693803564380999", "3569380356438F", ""])
    assert.equal(fault(() => asked(imei)).result, RESULT.invalidAvpValue, imei);
  assert.equal(asked("35693803564380", "234150000000001@nai.epc").imsi, "234150000000001");
  assert.equal(asked("35693803564380", "somebody").imsi, undefined);
});

test("where a message ends is known by four octets; another version or length leaves nothing to be known", () => {
  const { octets } = named("dia-cer-fd");
  assert.equal(messageLength(octets.subarray(0, 3), 0), undefined);
  assert.equal(messageLength(octets.subarray(0, 4), 0), octets.length);
  const changed = (at: number, value: number) => octets.map((octet, place) => (place === at ? value : octet));
  assert.equal(fault(() => messageLength(changed(0, 2), 0)).result, RESULT.unsupportedVersion);
  for (const length of [0, 19, 21]) {
    const met = fault(() =>
      messageLength(
        changed(3, length).map((octet, at) => (at === 2 ? 0 : octet)),
        0,
      ),
    );
    assert.equal(met.result, RESULT.invalidMessageLength);
  }
  assert.equal(fault(() => messageLength(changed(1, 0xff), 0)).result, RESULT.invalidMessageLength);
  assert.equal(fault(() => decodeDiameter(changed(4, 0xa0))).result, RESULT.invalidHeaderBits);
  const cut = fault(() => decodeDiameter(changed(20 + 7, 0xff)));
  assert.equal(cut.result, RESULT.invalidAvpLength);
  assert.equal(hexOf(cut.failed ?? new Uint8Array()), "000001084000000c00000000");
});

test("who offers S13 plainly, within its vendor's application in either order, or as a relay, is spoken with; others are not", () => {
  assert.ok(offersS13(named("dia-cer-fd")));
  assert.ok(offersS13(named("dia-cea-pd")));
  assert.ok(!offersS13(named("dia-real-cer")));
  assert.ok(!offersS13(named("dia-go-cer")));
});

test("a question that we compose reads as it was meant, and addresses are written by their family", () => {
  const check = {
    ...{
      originHost: "mme.example",
      originRealm: "example",
      destinationHost: undefined,
      destinationRealm: "example",
    },
    ...{ imei: "35693803564380", softwareVersion: "01", imsi: "234150000000001" },
  };
  const octets = encodeEquipmentCheck({ ...check, session: "mme.example;1;2" }, { hopByHop: 7, endToEnd: 9 });
  const message = decodeDiameter(octets);
  assert.deepEqual(readEquipmentCheck(message), check);
  assert.deepEqual(
    [message.command, message.application, message.hopByHop, message.endToEnd],
    [ME_IDENTITY_CHECK, S13_APPLICATION, 7, 9],
  );
  assert.equal(hexOf(addressValue("192.0.2.1")), "0001c0000201");
  assert.equal(hexOf(addressValue("::ffff:192.0.2.1")), "0001c0000201");
  assert.equal(hexOf(addressValue("2001:db8::1")), "000220010db8000000000000000000000001");
  assert.deepEqual(avpsIn(unsigned32(0), 0, 0), []);
});
