/** `turnup payload notify`: the SMS that asks a device to open an OMA DM session, for an engineer with a device on the desk. */

import { wordOf } from "../../term/narrow.ts";
import { hexOf } from "../../wire/hex.ts";
import { credentialHash } from "../../wire/omadm/auth.ts";
import {
  DM_APPLICATION_ID,
  encodeNotification,
  NOTIFICATION_CONTENT_TYPE,
  resyncNonce,
  UI_MODES,
} from "../../wire/omadm/notification.ts";
import { splitUserData } from "../../wire/sms/split.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import { type Command, type CommandContext, UsageError } from "../terminal/command.ts";
import { referenceIn } from "./payload.ts";

const PORTS = { destPort: 2948, srcPort: 9200 };
/** A password, and the end of its line. */
const PASSWORD_OCTETS_MAX = 1_024;
const RESYNC = "resync";

export const payloadNotifyCommand: Command = {
  name: "payload notify",
  summary: "Compose the SMS that asks a device to open an OMA DM session",
  description:
    "Package 0 of OMA DM 1.2: its digest is by the server's password and its nonce for the device. The nonce is that of the " +
    "last NextNonce or AAUTHDATA in Base64, nothing where there was none, or resync for the four zero octets by which both " +
    "sides meet again. A session has a number of its own; a repeat of the same one opens no second.",
  args: [{ usage: "<server-id>", about: "the account's ServerID (PROVIDER-ID)" }],
  options: [
    {
      flags: "--password-file <path>",
      about: "the server's password for the device; - reads standard input",
      needed: true,
    },
    { flags: "--session <hex>", about: "the session, 1 to FFFF", needed: true },
    { flags: "--nonce <base64>", about: `the server's nonce; ${RESYNC} for four zero octets (none)` },
    { flags: "--ui-mode <mode>", about: "what the device asks its user (background)", choices: UI_MODES },
    { flags: "--reference <number>", about: "the concatenation reference, 0 to 255 (1)" },
  ],
  examples: [
    "turnup payload notify com.example.dm --password-file dm.secret --session 4B4B --nonce TXlTZXJ2ZXJOb25jZQ== --json",
  ],
  async run(context) {
    const [serverId = ""] = context.args;
    const password = (await context.content(context.option("password-file") ?? "-", PASSWORD_OCTETS_MAX))
      .toString("utf8")
      .replace(/\r?\n$/, "");
    const notification = encodeNotification(
      {
        serverId,
        sessionId: sessionIn(context),
        uiMode: wordOf(UI_MODES, context.option("ui-mode")) ?? "background",
        initiator: "server",
      },
      { hash: credentialHash(serverId, password), nonce: nonceIn(context) },
    );
    const push = encodePush({
      transactionId: 1,
      contentType: NOTIFICATION_CONTENT_TYPE,
      applicationId: DM_APPLICATION_ID,
      body: notification,
    });
    const parts = splitUserData(push, { ...PORTS, reference: referenceIn(context), referenceBits: 8 });
    const composed = {
      notification: hexOf(notification),
      push: hexOf(push),
      parts: parts.map(({ udh, data }) => ({ udh: hexOf(udh), data: hexOf(data) })),
    };
    if (context.json) await context.printJson(composed);
    else await printed(composed, context);
    return "ok";
  },
};

async function printed(
  {
    notification,
    push,
    parts,
  }: {
    readonly notification: string;
    readonly push: string;
    readonly parts: readonly { readonly udh: string; readonly data: string }[];
  },
  { print }: CommandContext,
): Promise<void> {
  await print(`package 0  ${notification}`);
  await print(`push       ${push}`);
  for (const [index, { udh, data }] of parts.entries()) await print(`part ${index + 1}     ${udh}${data}`);
}

function sessionIn({ option }: CommandContext): number {
  const text = option("session") ?? "";
  const session = /^[0-9a-f]{1,4}$/i.test(text) ? Number.parseInt(text, 16) : 0;
  if (session === 0) throw new UsageError(`--session is 1 to FFFF in hexadecimal, not "${text}".`);
  return session;
}

function nonceIn({ option }: CommandContext): Uint8Array {
  const text = option("nonce") ?? "";
  if (text === RESYNC) return resyncNonce();
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0)
    throw new UsageError("--nonce is no Base64.");
  return Buffer.from(text, "base64");
}
