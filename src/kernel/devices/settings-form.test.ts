/** Which protocol a model gets its settings in. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { SETTINGS_FORMS, type SettingsForm } from "./form-names.ts";
import type { Answer, LinkPush } from "./rows.ts";
import { linkPushOf, otherProtocolsOf, pageFormOf, protocolOf, settingsFormOf } from "./settings-form.ts";

type Model = Parameters<typeof settingsFormOf>[0];

const protocol = (omaCp: Answer, nokiaOta: Answer, form: string | null = "phone") =>
  protocolOf(settingsFormOf({ capability: { omaCp, nokiaOta }, form }, "omacp"));

test("a model gets settings in the protocol that the data names, OMA CP before the Nokia one", () => {
  assert.equal(protocol("yes", "yes"), "omacp");
  assert.equal(protocol("no", "yes"), "nokiaota");
  assert.equal(protocol("unknown", "yes"), "nokiaota");
  assert.equal(protocol("no", "no"), "link");
  assert.equal(protocol("no", "unknown"), "link");
});

test("of which nothing is known, the operator chooses; but a modem has nobody who could open a page or a message", () => {
  assert.equal(protocol("unknown", "no"), "omacp");
  assert.equal(
    settingsFormOf({ capability: { omaCp: "unknown", nokiaOta: "no" }, form: null }, "link"),
    "by_hand",
  );
  assert.equal(protocol("unknown", "unknown", "modem"), "link");
});

test("R30: beside its protocol a model takes the Nokia one where the data says so, then a text with a link; a modem has nobody who could open that", () => {
  const others = (nokiaOta: Answer, form: string | null, chosen: "omacp" | "nokiaota" | "link") =>
    otherProtocolsOf({ capability: { omaCp: "yes", nokiaOta }, form }, chosen);
  assert.deepEqual(others("yes", "phone", "omacp"), ["nokiaota", "link"]);
  assert.deepEqual(others("unknown", "phone", "omacp"), ["link"], "what is not known is not tried");
  assert.deepEqual(others("yes", "phone", "nokiaota"), ["link"]);
  assert.deepEqual(others("yes", "modem", "omacp"), ["nokiaota"]);
  assert.deepEqual(others("no", "modem", "omacp"), []);
  assert.deepEqual(others("yes", "phone", "link"), []);
});

const model = (settingsForm: SettingsForm | null, more: Partial<Model["capability"]> = {}) => ({
  capability: { omaCp: "no", nokiaOta: "no", settingsForm, ...more } as const,
  form: "phone",
});

test("the form that the data names counts for more than what a model is known to take, and an iPhone gets a profile", () => {
  const takesBoth = { omaCp: "yes", nokiaOta: "yes" } as const;
  assert.equal(settingsFormOf(model("nokia_ota", takesBoth), "omacp"), "nokia_ota");
  assert.equal(settingsFormOf(model("android_page", takesBoth), "omacp"), "android_page");
  assert.equal(settingsFormOf(model(null, takesBoth), "link"), "oma_cp");
  assert.equal(settingsFormOf(model(null, { appleProfile: "yes" }), "omacp"), "apple_profile");
  assert.deepEqual(SETTINGS_FORMS.map(protocolOf), ["omacp", "nokiaota", "omadm", "link", "link", "link"]);
});

test("behind a link stands what the model takes: Android's menus only where every platform that it may be is Android", () => {
  const android = { omaCp: "unknown", platforms: ["Android"] } as const;
  assert.equal(settingsFormOf(model(null, android), "link"), "android_page");
  assert.equal(
    settingsFormOf(model(null, android), "omacp"),
    "oma_cp",
    "the operator chooses where nobody knows",
  );
  assert.equal(
    pageFormOf(model("oma_cp", android)),
    "android_page",
    "a link that goes where no message fits",
  );
  const either = { omaCp: "unknown", platforms: ["Android", "feature phone"] } as const;
  assert.equal(pageFormOf(model(null, either)), "by_hand");
});

test("a link goes by the push that the data names; of a modem, and where nothing is known, as a text", () => {
  const push = (linkPush: LinkPush, form: string | null = "phone") =>
    linkPushOf({ capability: { linkPush }, form });
  assert.deepEqual(
    (["si", "sl", "bookmark"] as const).map((one) => push(one)),
    ["si", "sl", "bookmark"],
  );
  assert.deepEqual([push("no"), push("unknown"), push("si", "modem")], [undefined, undefined, undefined]);
});
