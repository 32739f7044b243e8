/** OMA CP documents in JSON. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { documentOfJson, jsonOfCharacteristics } from "./json.ts";

test("a document in JSON: flags, empty values, numbers, repeated names, nesting", () => {
  const document = documentOfJson({
    version: null,
    xml: "not looked at",
    characteristics: [
      {
        type: "APPLICATION",
        parms: { APPID: "w2", STARTPAGE: null, NAME: "", PORTNBR: 80, "TO-NAPID": ["A", "B"] },
        characteristics: [{ type: "RESOURCE" }],
      },
    ],
  });
  const parms = [
    { name: "APPID", value: "w2" },
    { name: "STARTPAGE", value: null },
    { name: "NAME", value: "" },
    { name: "PORTNBR", value: "80" },
    { name: "TO-NAPID", value: "A" },
    { name: "TO-NAPID", value: "B" },
  ];
  const resource = { type: "RESOURCE", parms: [], characteristics: [] };
  assert.deepEqual(document, {
    version: null,
    characteristics: [{ type: "APPLICATION", parms, characteristics: [resource] }],
  });
  const json = jsonOfCharacteristics(document.characteristics);
  assert.deepEqual(json[0]!.parms, {
    APPID: "w2",
    STARTPAGE: null,
    NAME: "",
    PORTNBR: "80",
    "TO-NAPID": ["A", "B"],
  });
  assert.deepEqual(documentOfJson({ version: null, characteristics: json }), document);
});

test("a document that does not say its version is 1.0", () => {
  assert.equal(documentOfJson({ characteristics: [] }).version, "1.0");
});

test("a parm named __proto__ is a parm", () => {
  const text = '{"characteristics":[{"type":"X","parms":{"__proto__":"p"}}]}';
  const { characteristics } = documentOfJson(JSON.parse(text));
  assert.deepEqual(characteristics[0]!.parms, [{ name: "__proto__", value: "p" }]);
  assert.deepEqual(Object.entries(jsonOfCharacteristics(characteristics)[0]!.parms), [["__proto__", "p"]]);
});

const BAD: readonly { readonly path: string; readonly json: unknown }[] = [
  { path: "the document", json: [] },
  { path: "the document", json: null },
  { path: "version", json: { version: "2.0", characteristics: [] } },
  { path: "characteristics", json: {} },
  { path: "characteristics", json: { characteristics: {} } },
  { path: "characteristics[0]", json: { characteristics: ["NAPDEF"] } },
  { path: "characteristics[0].type", json: { characteristics: [{ parms: {} }] } },
  { path: "characteristics[0].type", json: { characteristics: [{ type: "" }] } },
  { path: "characteristics[0].parm", json: { characteristics: [{ type: "X", parm: {} }] } },
  { path: "characteristics[0].parms", json: { characteristics: [{ type: "X", parms: [] }] } },
  { path: "characteristics[0].parms.", json: { characteristics: [{ type: "X", parms: { "": "a" } }] } },
  { path: "characteristics[0].parms.A", json: { characteristics: [{ type: "X", parms: { A: true } }] } },
  {
    path: "characteristics[0].parms.A[1]",
    json: { characteristics: [{ type: "X", parms: { A: ["b", {}] } }] },
  },
  {
    path: "characteristics[1].characteristics[0].type",
    json: { characteristics: [{ type: "X" }, { type: "Y", characteristics: [{ type: 7 }] }] },
  },
];
for (const { path, json } of BAD) {
  test(`a document with a wrong ${path} is refused with that path: ${JSON.stringify(json)}`, () => {
    assert.throws(() => documentOfJson(json), { code: "payload_malformed", details: { path } });
  });
}

test("a document nested without end is refused", () => {
  let json: unknown = { type: "X" };
  for (let depth = 0; depth < 10_000; depth++) json = { type: "X", characteristics: [json] };
  assert.throws(() => documentOfJson({ characteristics: [json] }), { code: "payload_malformed" });
});
