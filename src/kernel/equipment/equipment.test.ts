/** Lists of handsets as operators write them, and which of several entries counts. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { networkOfRealm, sightingOf } from "./equipment.ts";
import { equipmentRisksOf } from "./equipment-lists.ts";
import { buildEquipmentIndex, type EquipmentList } from "./status-index.ts";
import { readEquipmentLine, writeEquipmentDevice } from "./status-line.ts";
import { type EquipmentRules, equipmentVerdict } from "./verdict.ts";

const RULES: EquipmentRules = { whenUnlisted: "white", whenSpecial: "white", answersBlack: true };

function index(
  lists: readonly (EquipmentList & { lines: readonly string[] })[],
  rules: Partial<EquipmentRules> = {},
) {
  const building = buildEquipmentIndex(lists);
  for (const [at, { lines }] of lists.entries())
    for (const line of lines) {
      const read = readEquipmentLine(line);
      if (read && "fault" in read) assert.fail(`${line}: ${read.fault}`);
      if (read) building.put(at, read.entry);
    }
  const built = building.done();
  return (imei: string, imsi?: string, softwareVersion?: string) =>
    equipmentVerdict({ imei, imsi, softwareVersion }, [built], { ...RULES, ...rules }).answer;
}
const list = (status: EquipmentList["status"], priority: number, ...lines: string[]) => ({
  ...{ name: status, status, priority, lines },
});

test("a handset, a range, a model and a model with one software version are read; what is none of them is told", () => {
  const of = index([
    list(
      "black",
      1,
      ...["\uFEFF# stolen", "", "35693803564380", "013938035643809", "49015420323751-49015420323759"],
      ...["35209900", "35888800/01", "3577770000000102", "3577770000000299"],
    ),
  ]);
  for (const [imei, answer] of [
    ["35693803564380", "black"],
    ["356938035643800", "black"],
    ["3569380356438077", "black"],
    ["35693803564381", "white"],
    ["01393803564380", "black"],
    ["49015420323750", "white"],
    ["49015420323751", "black"],
    ["49015420323759", "black"],
    ["49015420323760", "white"],
    ["35209900999999", "black"],
    ["3588880012345601", "black"],
    ["3588880012345602", "white"],
    ["35888800123456", "white"],
    ["3577770000000102", "black"],
    ["3577770000000103", "white"],
    ["3577770000000203", "black"],
  ] as const)
    assert.equal(of(imei), answer, imei);
  assert.equal(of("35888800123456", undefined, "01"), "black", "its version stands apart");
  for (const [line, fault] of [
    ["3569380356438", /14 to 16 digits/],
    ["35693803564380x", /14 to 16 digits/],
    ["35693803564389-35693803564380", /ends before it begins/],
    ["3569380356438-35693803564380", /14 to 16 digits/],
    ["35693803564380,12345", /6 to 15 digits/],
    ["35693803564380,234150000000001,white", /SIMs with blanks between/],
    [`35693803564380,${"234150000000001 ".repeat(101)}`, /more than 100 SIMs/],
  ] as const) {
    const read = readEquipmentLine(line);
    assert.match(read && "fault" in read ? read.fault : "taken", fault, line);
  }
});

test("the list with the higher priority counts; within one the narrower entry, then the one with a software version, then the later", () => {
  const black = (priority: number) => list("black", priority, "35693803", "35693803564380");
  const white = (priority: number) =>
    list("white", priority, "35693803564380", "35693803564381-35693803564389");
  const strict = index([black(2), white(1)]);
  const lenient = index([black(1), white(2)]);
  assert.deepEqual([strict("35693803564380"), lenient("35693803564380")], ["black", "white"]);
  assert.deepEqual([strict("35693803564385"), lenient("35693803564385")], ["black", "white"]);
  assert.equal(lenient("35693803000000"), "black");
  const versions = index([list("grey", 1, "35693803"), list("black", 2, "35693803/07")]);
  assert.deepEqual([versions("3569380300000007"), versions("3569380300000008")], ["black", "grey"]);
});

test("a SIM that is paired with a handset on a black list is let in with it, and no other", () => {
  const of = index([list("black", 1, "35693803564380,234150000000001 234150000000002")]);
  assert.equal(of("35693803564380", "234150000000002"), "white");
  assert.equal(of("35693803564380", "234150000000003"), "black");
  assert.equal(of("35693803564380"), "black");
  const watched = index([list("grey", 1, "35693803564380,234150000000001")]);
  assert.equal(watched("35693803564380", "234150000000001"), "grey", "a grey list shuts nobody out");
});

test("numbers that are no handset's are a class of their own, and a switch lets everybody in", () => {
  const lines = list("black", 1, "00000000000000", "35693803");
  assert.equal(index([lines])("00000000000000"), "white");
  assert.equal(index([lines], { whenSpecial: "grey" })("004999010640000"), "grey");
  assert.equal(index([lines], { whenSpecial: "black" })("00000000000000"), "black");
  const open = index([lines], { answersBlack: false, whenSpecial: "black", whenUnlisted: "unknown" });
  assert.deepEqual(
    [open("35693803000000"), open("00000000000000"), open("35999999000000")],
    ["white", "white", "unknown"],
  );
});

test("a look-up finds what a plain look at each entry finds", () => {
  const lines = Array.from({ length: 400 }, (_, n) => {
    const at = 35_000_000_000_000 + ((n * 7_919) % 1_000) * 10;
    return n % 3 === 0 ? `${at}-${at + ((n * 31) % 200)}` : String(at);
  });
  const lists = [list("black", 2, ...lines.slice(0, 200)), list("grey", 1, ...lines.slice(200))];
  const of = index(lists);
  const plainly = (imei: number) => {
    for (const { status, lines: entries } of lists)
      for (const entry of entries) {
        const [from = 0, to = from] = entry.split("-").map(Number);
        if (from <= imei && imei <= to) return status;
      }
    return "white";
  };
  for (let imei = 35_000_000_000_000; imei < 35_000_000_010_300; imei += 7)
    assert.equal(of(String(imei)), plainly(imei), String(imei));
});

test("what a core says of a handset is a sighting: the check digit is left out, the software version kept", () => {
  const equipment = {
    ...{ imei: "356938035643800", softwareVersion: undefined, imsi: "234150000000001" },
    ...{ msisdn: undefined, visited: undefined },
  };
  const of = (more: object) =>
    sightingOf({ ...equipment, ...more }, "s13", "2026-05-04T08:00:00Z", () => "23415");
  assert.equal(of({})?.imei, "35693803564380");
  assert.equal(of({ softwareVersion: "01" })?.imeisv, "3569380356438001");
  assert.equal(of({ imei: "3569380356438002" })?.imeisv, "3569380356438002");
  assert.equal(of({ visited: "26202" })?.plmn, "26202");
  assert.equal(of({ imsi: undefined }), undefined);
  assert.deepEqual(networkOfRealm("epc.mnc015.mcc234.3gppnetwork.org"), { mcc: "234", mnc: "015" });
  assert.equal(networkOfRealm("epc.mnc15.mcc234.3gppnetwork.org"), undefined);
});

test("of two sources the list with the higher priority counts, and of two with the same the one named first", () => {
  const sourceOf = (status: EquipmentList["status"], priority: number, line: string) => {
    const building = buildEquipmentIndex([{ name: `${status} ${priority}`, status, priority }]);
    const read = readEquipmentLine(line);
    if (!read || "fault" in read) assert.fail(line);
    building.put(0, read.entry);
    return building.done();
  };
  const handset = { imei: "35693803564380", imsi: undefined, softwareVersion: undefined };
  const of = (...sources: ReturnType<typeof sourceOf>[]) => equipmentVerdict(handset, sources, RULES).list;
  const [black, grey] = [sourceOf("black", 5, "35693803564380"), sourceOf("grey", 9, "35693803")];
  assert.deepEqual([of(black, grey), of(grey, black)], ["grey 9", "grey 9"]);
  const same = sourceOf("white", 5, "35693803");
  assert.deepEqual([of(black, same), of(same, black)], ["black 5", "white 5"]);
  assert.equal(black.isOn("black 5", handset), true);
  assert.equal(black.isOn("black 5", { ...handset, imei: "35693803564381" }), false);
  assert.equal(grey.isOn("grey 9", { ...handset, imei: "3569380399999907" }), true);
  assert.equal(grey.isOn("black 5", handset), false);
});

test("an entry is written as it is read, in one way", () => {
  for (const [given, written] of [
    ["356938035643809", "35693803564380"],
    ["3569380356438007", "3569380356438007"],
    ["3569380356438099", "35693803564380"],
    ["01393803", "01393803"],
    ["01393803/07", "01393803/07"],
    ["01393803000000-01393803999999", "01393803"],
    ["01393803000000 - 01393804999999", "01393803000000-01393804999999"],
  ] as const) {
    const read = readEquipmentLine(given);
    if (!read || "fault" in read) assert.fail(given);
    assert.equal(writeEquipmentDevice(read.entry), written);
  }
});

test("a black list is changed on one person's word by a little alone, and by no range that shuts half a network", () => {
  const risks = (status: EquipmentList["status"], before: number, change: object) =>
    equipmentRisksOf({ status }, before, { added: 0, removed: 0, wide: 0, ...change }).length;
  assert.deepEqual([risks("black", 40, { removed: 4 }), risks("black", 40, { removed: 5 })], [0, 1]);
  assert.deepEqual([risks("black", 40, { added: 20 }), risks("black", 40, { added: 21 })], [0, 1]);
  assert.equal(
    risks("black", 0, { added: 5_000 }),
    0,
    "a first file is looked at, and is not a second person's",
  );
  assert.equal(risks("black", 0, { wide: 1 }), 1);
  assert.equal(risks("grey", 40, { removed: 40, wide: 1 }), 0, "a grey list shuts nobody out");
});
