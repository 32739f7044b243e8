/** Which texts end what nobody asked for, and which bring it back. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { readStop } from "./read-stop.ts";

for (const text of [
  ...[
    "STOP",
    "stop",
    " Stop. ",
    "STOP!!!",
    "STOPP",
    "stop all",
    "Stopall",
    "unsubscribe",
    "opt out",
    "OPT-OUT",
    "Optout",
  ],
  ...[
    "END",
    "quit",
    "Cancel",
    "Please stop",
    "bitte stop",
    "Stop sending me this",
    "stop werbung",
    "abmelden",
    "arrêt",
  ],
  ...["стоп", "退订", "הסר", "stop?", "no, stop", "𝗦𝗧𝗢𝗣", "ＳＴＯＰ", "🛑 STOP"],
  ...[
    "❗\ufe0fSTOP❗\ufe0f",
    "S T O P",
    "s.t.o.p.",
    "STOOOPPP!!",
    "Please stop sending me this",
    "ok stop it",
  ],
  ...[
    "Hello, please stop these messages",
    "Bitte stop mit der Werbung",
    "Basta!",
    "Por favor, parar estos SMS",
  ],
]) {
  test(`"${text}" ends offers`, () => assert.deepEqual(readStop(text), { kind: "stop", code: null }));
}

test("a STOP that names a question says so", () => {
  assert.deepEqual(readStop("STOP 4821"), { kind: "stop", code: "4821" });
  assert.deepEqual(readStop("4821 stop"), { kind: "stop", code: "4821" });
  assert.deepEqual(readStop("stop 4821 and 1177"), { kind: "stop", code: null });
});

for (const text of [
  ...[
    "",
    "no",
    "yes 4821",
    "don't stop",
    "don’t stop",
    "Never stop",
    "nicht stoppen",
    "non-stop",
    "nonstop music",
  ],
  ...[
    "cancel 4821",
    "end of the month",
    "I will not stop",
    "bus stop is where?",
    "Reply STOP to end",
    "Det är det bästa",
    "Sì, mi basta",
    "s".repeat(161),
  ],
]) {
  test(`"${text.slice(0, 24)}" ends nothing`, () => assert.equal(readStop(text), undefined));
}

test("only a plain START brings offers back", () => {
  for (const text of ["START", "start", "Start!", "unstop", "anmelden"])
    assert.deepEqual(readStop(text), { kind: "start" }, text);
  for (const text of ["start?", "start 4821", "do not start", "please start", "restart", "START STOP"])
    assert.notDeepEqual(readStop(text), { kind: "start" }, text);
});
