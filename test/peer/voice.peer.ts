/** The telephone menu's own documents beside the W3C's schema of VoiceXML 2.1 and xmllint (Debian: libxml2-utils). Fails, and never skips, without it. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { test } from "vitest";
import type { VoiceCall } from "../../src/http/voice/call.ts";
import { agentDocument, entryDocument, spokenDocument } from "../../src/http/voice/documents.ts";
import { codeScreen, languageScreen, numberScreen } from "../../src/http/voice/sign-in.ts";
import { callWordsIn } from "../../src/http/voice/words.ts";

const SCHEMA = join(import.meta.dirname, "voicexml21");
const PROGRAM_TIMEOUT_MS = 10_000;

function assertValid(text: string): void {
  const args = ["--nonet", "--noout", "--schema", join(SCHEMA, "vxml.xsd"), "-"];
  const env = { ...process.env, XML_CATALOG_FILES: join(SCHEMA, "catalog.xml") };
  const { status, stderr, error } = spawnSync("xmllint", args, {
    input: text,
    timeout: PROGRAM_TIMEOUT_MS,
    env,
  });
  if (error) throw new Error(`xmllint cannot be run (${error.message}): apt-get install libxml2-utils`);
  assert.equal(status, 0, `${stderr}\n${text}`);
}

test("the entry document and the one that leads to an agent are valid by the schema of the W3C", () => {
  assertValid(entryDocument("/voice/screen"));
  for (const language of ["en", "de"]) {
    assertValid(agentDocument(language, [], "tel:+442079460000"));
    assertValid(agentDocument(language, ["Why & how <so>."], "tel:+442079460000"));
    assertValid(agentDocument(language, ["Why."], undefined));
  }
});

test("the questions who calls are valid by the schema of the W3C, in each language", () => {
  const at = (to: string) => `/voice/screen?to=${to}&call=AAAA`;
  for (const language of ["en", "de"]) {
    const call: VoiceCall = {
      language,
      caller: "882100000099",
      challenge: null,
      failures: 0,
      subscriberId: null,
      pinOf: null,
      provedMs: null,
    };
    const { keys } = callWordsIn(language);
    for (const screen of [
      languageScreen("Meridian", call, at),
      numberScreen(call, at),
      numberScreen({ ...call, caller: null }, at),
      numberScreen(call, at, true),
      codeScreen(call, at, false),
      codeScreen(call, at, true),
    ]) {
      const text = spokenDocument(screen, { transferTo: "tel:+442079460000", ...(keys && { words: keys }) });
      assert.ok(text, screen.id);
      assertValid(text);
    }
  }
});
