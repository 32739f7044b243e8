/** multipart/form-data read as it comes, whatever pieces it comes in. */
import assert from "node:assert/strict";
import { test } from "vitest";
import { DecodeError } from "../decode-error.ts";
import { boundaryOf, MultipartReader } from "./multipart.ts";

/** RFC 7578 clause 4.2, with a file whose content looks like the boundary. */
const FORM = Buffer.from(
  [
    "a preamble says nothing",
    "--AaB03x",
    'content-disposition: form-data; name="kind"',
    "",
    "tac",
    "--AaB03x  ",
    'Content-Disposition: form-data; name="file"; filename="a \\"b\\".csv"',
    "Content-Type: text/csv",
    "",
    "tac,make\r\n--AaB03\r\n\r\n-AaB03x\r\n",
    "--AaB03x",
    'content-disposition: form-data; name="empty"',
    "",
    "",
    "--AaB03x--",
    "an epilogue neither",
  ].join("\r\n"),
);
const WANTED = [
  { name: "kind", fileName: null, content: "tac" },
  { name: "file", fileName: 'a "b".csv', content: "tac,make\r\n--AaB03\r\n\r\n-AaB03x\r\n" },
  { name: "empty", fileName: null, content: "" },
];

function partsOf(pieces: readonly Uint8Array[]) {
  const reader = new MultipartReader("AaB03x");
  const parts: { name: string; fileName: string | null; content: string }[] = [];
  let ends = 0;
  for (const piece of pieces)
    for (const event of reader.push(piece)) {
      if (event.kind === "part") parts.push({ name: event.name, fileName: event.fileName, content: "" });
      const last = parts.at(-1);
      if (event.kind === "content" && last) last.content += Buffer.from(event.octets).toString("latin1");
      if (event.kind === "end") ends++;
    }
  reader.end();
  assert.equal(ends, parts.length);
  return parts;
}

test("a form is the same parts in one piece, octet by octet, and cut in two anywhere", () => {
  assert.deepEqual(partsOf([FORM]), WANTED);
  assert.deepEqual(partsOf([...FORM].map((octet) => Uint8Array.of(octet))), WANTED);
  for (let cut = 1; cut < FORM.length; cut++)
    assert.deepEqual(partsOf([FORM.subarray(0, cut), FORM.subarray(cut)]), WANTED, `cut at ${cut}`);
});

test("a form cut short before its last boundary is refused", () => {
  const end = FORM.indexOf("--AaB03x--");
  for (let cut = 0; cut < end + "--AaB03x--".length; cut++)
    assert.throws(() => partsOf([FORM.subarray(0, cut)]), DecodeError, `cut at ${cut}`);
});

test("a part without a name, a head without an end and a form of a thousand parts are refused, and hold no memory", () => {
  const nameless = "--AaB03x\r\ncontent-type: text/plain\r\n\r\nx\r\n--AaB03x--";
  assert.throws(() => partsOf([Buffer.from(nameless)]), /a part without a name/);
  const endless = [Buffer.from("--AaB03x\r\n"), Buffer.alloc(10_000, "a")];
  assert.throws(() => partsOf(endless), /the head of a part is too long/);
  const many = '--AaB03x\r\ncontent-disposition: form-data; name="a"\r\n\r\nx\r\n'.repeat(1_000);
  assert.throws(() => partsOf([Buffer.from(many)]), /too many parts/);
  assert.throws(() => partsOf([Buffer.from("--AaB03x junk\r\n")]), /something behind it/);
});

test("the boundary is the content type's, quoted or not; without one, or one that cannot be, there is none", () => {
  assert.equal(boundaryOf("multipart/form-data; boundary=AaB03x"), "AaB03x");
  assert.equal(boundaryOf('Multipart/Form-Data; charset=utf-8; boundary="a b:c"'), "a b:c");
  for (const type of [
    "multipart/form-data",
    "multipart/mixed; boundary=a",
    `multipart/form-data; boundary=${"a".repeat(71)}`,
    "multipart/form-data-x; boundary=a",
  ])
    assert.equal(boundaryOf(type), undefined, type);
});
