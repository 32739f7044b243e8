/** Notices by mail and by fax gateway, over real SMTP to the simulated mailbox (R52). */
import assert from "node:assert/strict";
import { afterEach, test } from "vitest";
import { startMailbox } from "../../sim/mail/mailbox.ts";
import { smtpMail } from "./smtp.ts";

type MailFault = NonNullable<
  ReturnType<NonNullable<NonNullable<Parameters<typeof startMailbox>[0]>["fault"]>>
>;

type MailOptions = Parameters<typeof smtpMail>[0];

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** Who answers does so in milliseconds, and on a busy machine later: they are waited for. Who is silent is not. */
const PATIENCE_MS = 20_000;
const SILENT_MS = 400;

async function world(fault?: (number: number) => MailFault | undefined, options: Partial<MailOptions> = {}) {
  const box = await startMailbox(fault ? { fault } : {});
  const mail = smtpMail({
    host: box.host,
    port: box.port,
    tls: "none",
    from: "notices@turnup.example",
    faxGateway: "fax.example",
    timeoutMs: PATIENCE_MS,
    ...options,
  });
  closers.push(box.close, mail.close);
  return { box, mail };
}
const terms = {
  id: "mail-1",
  to: { kind: "mail", address: "ann@example.net" },
  subject: "Bedingungen für Ihr Postfach",
  text: "Grüße,\nantworten Sie mit JA 4821.\n.\nEnde – danke",
  language: "de-AT",
} as const;

test("terms reach the mailbox word for word, from a machine that says it is one, under the notice's id", async () => {
  const { box, mail } = await world();
  const outcome = await mail.send(terms);
  assert.deepEqual(outcome, { kind: "done", reference: "<mail-1@turnup.example>" });
  const [came] = box.mails();
  assert.ok(came);
  assert.deepEqual(
    [came.from, came.to, came.envelopeId],
    ["notices@turnup.example", ["ann@example.net"], "mail-1"],
  );
  assert.equal(came.text.replaceAll("\r\n", "\n").trimEnd(), terms.text);
  assert.equal(came.headers.get("subject"), terms.subject);
  assert.equal(came.headers.get("auto-submitted"), "auto-generated");
  assert.equal(came.headers.get("content-language"), "de-AT");
  assert.equal(came.headers.get("message-id"), "<mail-1@turnup.example>");
});

test("a fax number goes to the gateway as RFC 3191 writes it", async () => {
  const { box, mail } = await world();
  const to = { kind: "fax", number: "+44 (20) 7946-0000" } as const;
  assert.equal((await mail.send({ ...terms, to })).kind, "done");
  assert.deepEqual(box.mails()[0]?.to, ["FAX=+442079460000@fax.example"]);
});

test("the same id is sent once", async () => {
  const { box, mail } = await world();
  await mail.send(terms);
  await mail.send(terms);
  assert.equal(box.mails().length, 1);
});

test("a line end in a subject makes no header, and an address that is a list reaches nobody", async () => {
  const { box, mail } = await world();
  await mail.send({ ...terms, subject: "Hello\r\nBcc: eve@example.net" });
  assert.equal(box.mails()[0]?.headers.has("bcc"), false);
  assert.deepEqual(box.mails()[0]?.to, ["ann@example.net"]);
  for (const address of [
    "a@b.example, eve@example.net",
    "a@b.example\r\nRCPT TO:<eve@example.net>",
    "nobody",
  ]) {
    const outcome = await mail.send({ ...terms, id: "mail-2", to: { kind: "mail", address } });
    assert.ok(outcome.kind === "refused");
    assert.equal(outcome.cause, "address_malformed");
  }
  assert.equal(box.mails().length, 1);
});

test("without a gateway a fax is refused, and nothing is sent", async () => {
  const box = await startMailbox();
  const mail = smtpMail({
    host: box.host,
    port: box.port,
    tls: "none",
    from: "n@t.example",
    timeoutMs: PATIENCE_MS,
  });
  closers.push(box.close, mail.close);
  const outcome = await mail.send({ ...terms, to: { kind: "fax", number: "442079460000" } });
  assert.ok(outcome.kind === "refused");
  assert.equal(outcome.cause, "no_fax_gateway");
});

const faults: [MailFault, string, string][] = [
  ["refuse_recipient", "refused", "mail_refused"],
  ["busy", "failed", "busy"],
  ["silent", "failed", "timeout"],
  ["hang_up", "failed", "unreachable"],
];
for (const [fault, kind, cause] of faults) {
  test(`a mail server with the habit ${fault} gives ${kind} ${cause}, and the address is not told`, async () => {
    const { mail, box } = await world(() => fault, {
      timeoutMs: fault === "silent" ? SILENT_MS : PATIENCE_MS,
    });
    const outcome = await mail.send(terms);
    assert.deepEqual([outcome.kind, "cause" in outcome && outcome.cause], [kind, cause]);
    assert.ok(!JSON.stringify(outcome).includes("example.net"));
    assert.equal(box.mails().length, 0);
  });
}

test("a mail whose answer was lost is sent again under the same Message-ID", async () => {
  const { mail, box } = await world((number) => (number === 1 ? "lose_answer" : undefined));
  assert.equal((await mail.send(terms)).kind, "failed");
  assert.equal((await mail.send(terms)).kind, "done");
  const ids = box.mails().map(({ headers }) => headers.get("message-id"));
  assert.deepEqual(ids, ["<mail-1@turnup.example>", "<mail-1@turnup.example>"]);
});

test("mail in clear leaves this machine never", () => {
  const options = { host: "mail.example", port: 25, from: "n@t.example", timeoutMs: 1 } as const;
  assert.throws(() => smtpMail({ ...options, tls: "none" }), RangeError);
});
