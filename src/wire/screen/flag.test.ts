/** A box to tick: only its own value is a yes, on a form, in JSON and by the keys of a telephone. */
import assert from "node:assert/strict";
import vm from "node:vm";
import { test } from "vitest";
import { faultOf } from "./input.ts";
import { type Field, FLAG_SET, type Screen } from "./screen.ts";
import { renderVxml } from "./vxml.ts";

const agree: Field = { name: "agree", label: "I agree", kind: "flag", required: true };

test("a flag is yes or nothing; words that mean no, and others that mean yes, are no value of it", () => {
  assert.equal(faultOf(agree, FLAG_SET), undefined);
  assert.equal(faultOf(agree, ""), "missing");
  assert.equal(faultOf({ ...agree, required: false }, ""), undefined);
  for (const value of ["no", "false", "off", "0", "true", "on", "1", "YES", "yes please"])
    assert.equal(faultOf(agree, value), "malformed", value);
});

test("on the telephone only a true is a yes, whether a platform gives a boolean or its text", () => {
  const screen: Screen = {
    id: "x",
    title: "T",
    lang: "en",
    text: [],
    entries: [],
    actions: [],
    form: { action: "/x", submit: "Send", fields: [agree], hidden: {} },
  };
  const attribute = /<assign name="agree" expr="([^"]+)"/.exec(renderVxml(screen))![1]!;
  const expression = attribute.replace(/&(?:apos|#39|#x27);/gi, "'");
  const said = (keyed: unknown) => vm.runInNewContext(expression, { agree_keyed: keyed });
  assert.deepEqual([true, "true"].map(said), [FLAG_SET, FLAG_SET]);
  assert.deepEqual([false, "false", "", undefined, "2", "no"].map(said), ["", "", "", "", "", ""]);
});
