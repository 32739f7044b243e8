/**
 * Notices by e-mail, and by fax through a mail-to-fax gateway (`FAX=+NUMBER@gateway`, RFC 3191 and RFC 3192), over
 * SMTP. Each says that a machine wrote it (RFC 3834), so that nobody's holiday answers, and bears its id as Message-ID
 * and envelope id (RFC 3461), so that a mail that came twice is seen to be one.
 */
import { createTransport } from "nodemailer";
import type { MailPort } from "../../kernel/calls/connectors.ts";
import { dropOldest } from "../../term/collections.ts";
import { type ExchangeFailure, failed } from "../exchange/exchange.ts";

/** Told to the server by their ids: not sent again while we live; the server and the reader know them by the id. */
const MAX_SENT_KEPT = 10_000;
const MAX_TEXT_CHARACTERS = 200_000;
const MAX_SUBJECT_CHARACTERS = 200;
const MAX_CONNECTIONS = 2;
/** RFC 5321 clause 4.5.3.1, and no sign that an address list or a header gives a meaning to. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "::1"]);

type MailOptions = {
  readonly host: string;
  readonly port: number;
  /** `implicit` from the first octet, `starttls` before anything is said; `none` on this machine alone. */
  readonly tls: "implicit" | "starttls" | "none";
  readonly user?: string;
  readonly password?: string;
  readonly authority?: string;
  readonly from: string;
  /** Domain of the gateway that turns mails into faxes; without one, a fax number is refused. */
  readonly faxGateway?: string;
  readonly timeoutMs: number;
};
type Mail = Parameters<MailPort["send"]>[0];
type Outcome = Awaited<ReturnType<MailPort["send"]>>;

/** @throws RangeError for mail in clear to another machine, or a sender that is no address */
export function smtpMail(options: MailOptions): MailPort & { close(): void } {
  const { host, port, tls, timeoutMs } = options;
  if (tls === "none" && !LOOPBACK.has(host)) throw new RangeError("another machine gets mail over TLS only");
  if (!ADDRESS.test(options.from)) throw new RangeError("the sender is no e-mail address");
  const domain = options.from.slice(options.from.indexOf("@") + 1);
  const transport = createTransport({
    pool: true,
    maxConnections: MAX_CONNECTIONS,
    host,
    port,
    secure: tls === "implicit",
    requireTLS: tls === "starttls",
    ignoreTLS: tls === "none",
    tls: { minVersion: "TLSv1.2", ...(options.authority === undefined ? {} : { ca: options.authority }) },
    ...(options.user === undefined ? {} : { auth: { user: options.user, pass: options.password ?? "" } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const sent = new Map<string, string>();

  async function send(mail: Mail): Promise<Outcome> {
    const known = sent.get(mail.id);
    if (known !== undefined) return { kind: "done", reference: known };
    const to = recipientOf(mail, options.faxGateway);
    if (typeof to !== "string") return to;
    const messageId = `<${mail.id}@${domain}>`;
    const outcome = await withinTime(
      transport.sendMail({
        messageId,
        from: options.from,
        envelope: { from: options.from, to: [to] },
        to,
        subject: mail.subject.replace(/\p{Cc}+/gu, " ").slice(0, MAX_SUBJECT_CHARACTERS),
        text: mail.text.slice(0, MAX_TEXT_CHARACTERS),
        headers: {
          "Auto-Submitted": "auto-generated",
          "Content-Language": languageOf(mail.language),
          Precedence: "bulk",
        },
        dsn: { id: mail.id, return: "headers", notify: ["failure", "delay"], recipient: options.from },
      }),
      timeoutMs,
    );
    if (outcome.kind !== "done") return outcome;
    sent.set(mail.id, messageId);
    dropOldest(sent, MAX_SENT_KEPT);
    return { kind: "done", reference: messageId };
  }

  return { send, close: () => transport.close() };
}

/** The time is for the whole talk, whatever the server does between its lines. */
async function withinTime(sending: Promise<unknown>, timeoutMs: number): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve(failed("timeout", `not taken within ${timeoutMs} ms`)), timeoutMs);
  });
  const told = sending.then((): Outcome => ({ kind: "done", reference: null }), outcomeOf);
  const outcome = await Promise.race([told, late]);
  clearTimeout(timer);
  return outcome;
}

function recipientOf({ to }: Mail, faxGateway: string | undefined): string | Outcome {
  if (to.kind === "mail")
    return ADDRESS.test(to.address) ? to.address : refused("address_malformed", "this is no e-mail address");
  if (faxGateway === undefined) return refused("no_fax_gateway", "no mail-to-fax gateway is configured");
  const digits = to.number.replace(/[\s()./-]/g, "").replace(/^\+/, "");
  return /^[1-9]\d{4,14}$/.test(digits)
    ? `FAX=+${digits}@${faxGateway}`
    : refused("address_malformed", "this is no fax number with its country code");
}

const languageOf = (language: string): string => (/^[A-Za-z0-9-]{2,35}$/.test(language) ? language : "en");

/** Authentication is wanted, failed, or its mechanism is not enough (RFC 4954 clause 6). */
const NOT_LET_IN: ReadonlySet<number> = new Set([530, 534, 535, 538]);

/** Replies of 5xx are a no, 4xx come again later (RFC 5321 clause 4.2.1). A server's own text may name people. */
function outcomeOf(error: Error & { readonly code?: string; readonly responseCode?: number }): Outcome {
  const { code = "", responseCode } = error;
  if (code === "EAUTH" || NOT_LET_IN.has(responseCode ?? 0))
    return failed("unauthorised", "the mail server did not take our credentials");
  if (responseCode !== undefined && responseCode >= 500)
    return refused("mail_refused", `the mail server refused it: ${responseCode}`);
  if (responseCode !== undefined && responseCode >= 400)
    return failed("busy", `the mail server asks to come later: ${responseCode}`);
  if (code === "ETIMEDOUT") return failed("timeout", "the mail server was silent");
  if (code === "ETLS" || /CERT|SELF_SIGNED|SSL|TLS/.test(code)) return failed("tls", code);
  return failed(
    "unreachable",
    /^[A-Z_]{1,40}$/.test(code) ? code : "the connection was cut",
  ) satisfies ExchangeFailure;
}

const refused = (cause: string, reason: string): Outcome => ({ kind: "refused", cause, reason });
