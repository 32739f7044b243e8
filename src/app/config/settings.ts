/**
 * Every setting of Turnup: what it is, its unit, its default, what it may be. The configuration is read by it
 * (`config.ts`), and the table in docs/operations.md is written from it (`turnup config --update docs/operations.md`).
 *
 * To add one, add a line to its section; for a new section, add it to `SETTINGS`. The name here is the one in code;
 * the file says it in small letters, `[http] public_url`, the environment in capitals, `TURNUP_HTTP_PUBLIC_URL`.
 * A duration or size bears its unit at the end of its name. A setting without a default is optional, and absent
 * unless given.
 */
import { type TOptional, type TSchema, Type } from "typebox";
import { DEFAULT_LIMITS, DEFAULT_PORTAL_LIMITS } from "../../http/limits.ts";
import { DEFAULT_CLOCK_TOLERANCE_MS } from "../../kernel/detection/clock-tolerance.ts";
import { RECEIPT_IDS } from "../../net/smsc/receipt-ids.ts";
import type { Secret } from "../../term/secret.ts";
import { DEFAULT_ALPHABETS } from "../../wire/sms/default-alphabet.ts";

type About = { readonly about: string };
type Number = About & { readonly from: number; readonly to: number; readonly unit?: string };

const integer = ({ about, from, to, unit, ...more }: Number & { readonly default: number }) =>
  Type.Integer({ description: about, minimum: from, maximum: to, unit, ...more });
const optionalInteger = ({ about, from, to, unit }: Number) =>
  Type.Optional(Type.Integer({ description: about, minimum: from, maximum: to, unit }));

/** Begins with a letter: a number is an entry's place. */
export const SMSC_NAME = "^[a-z][a-z0-9-]{0,30}$";
/** SMPP v3.4 §5.2.5 and §5.2.6. */
const TON_NPI = { pattern: "^[0-6]/(?:[0-9]|1[0-8])$", allowed: "TON/NPI, as 5/0" };
const TEXT_MAX = 1_000;
type Text = About & {
  readonly pattern?: string;
  readonly allowed?: string;
  readonly max?: number;
  /** What the text has to be beyond its pattern. */
  readonly is?: Form;
};
type Form = "host" | "url" | "database";
const textSchema = ({ about, max = TEXT_MAX, ...more }: Text & { readonly default?: string }) =>
  Type.String({ description: about, minLength: 1, maxLength: max, ...more });
const text = (spec: Text & { readonly default: string }) => textSchema(spec);
const optionalText = (spec: Text) => Type.Optional(textSchema(spec));

/** Never printed; may also be given as `<name>_file`, the file that holds it. */
const secret = ({
  about,
  ...more
}: About & {
  readonly ownerOnly?: boolean;
  readonly pattern?: string;
  readonly allowed?: string;
  readonly is?: Form;
}) =>
  Type.Optional(
    Type.Unsafe<Secret>({ type: "string", description: about, minLength: 1, secret: true, ...more }),
  );

/** Relative to the file that says it, or to the current folder when the environment does. */
const path = ({ about, ...more }: About & { readonly standsFor?: string }) =>
  Type.Optional(Type.String({ description: about, minLength: 1, isPath: true, ...more }));

const oneOf = <const T extends string>(values: readonly T[], spec: About & { readonly default: T }) =>
  Type.Unsafe<T>({ type: "string", enum: [...values], description: spec.about, default: spec.default });

/** In the environment by commas. */
const list = ({
  about,
  max,
  allowed,
  ...each
}: About & { readonly pattern: string; readonly max: number; readonly allowed: string }) =>
  Type.Optional(
    Type.Array(Type.String({ maxLength: TEXT_MAX, ...each }), {
      description: about,
      minItems: 1,
      maxItems: max,
      allowed,
    }),
  );

const yesOrNo = ({ about, ...more }: About & { readonly default: boolean }) =>
  Type.Boolean({ description: about, ...more });

/** Of a machine of somebody else's that the order can wait for. */
const timeoutOf = (who: string) =>
  integer({
    about: `${who} without an answer for this long is asked again later.`,
    unit: "ms",
    from: 100,
    to: 120_000,
    default: 10_000,
  });

const PORT = { from: 1, to: 65_535 };
const HTTP_URL = {
  pattern: "^https?://[^\\s/]+[^\\s]*$",
  allowed: "an http or https URL",
  is: "url" as const,
};
/** A secret goes there: in clear only to this machine itself. Paths are put behind it. */
const SECURE_ORIGIN = "^(https://[^\\s/?#@]+|http://(localhost|127\\.0\\.0\\.1|\\[::1\\])(:\\d+)?)";
const SECURE_URL = {
  pattern: `${SECURE_ORIGIN}(/[^\\s?#]*)?$`,
  allowed: "an https URL without user and query, or http on this machine",
  is: "url" as const,
};
/** Goes into a header as it stands: RFC 6749 appendix A has the same octets for secrets and tokens. */
const HEADER_TEXT = {
  pattern: "^[\\x20-\\x7e]*$",
  allowed: "printable ASCII characters, in one line",
};
const SLUG = { pattern: "^[a-z0-9][a-z0-9-]{0,62}$", allowed: "an operator's short name" };
const HOST = {
  max: 253,
  pattern: "^[^\\s/]+$",
  allowed: "a host name, or an IP address without brackets and port",
  is: "host" as const,
};

/** Longer than a screen, since it is one table with a section a heading: cut up, no setting would be found sooner. */
export const SETTINGS = {
  clock: {
    toleranceSeconds: integer({
      about:
        "How far the clock of another machine may differ: sightings and confirmations dated further ahead are refused, and a confirmation dated this much before its order counts (one minute at most where the SIM came from another handset).",
      unit: "s",
      from: 0,
      to: 86_400,
      default: DEFAULT_CLOCK_TOLERANCE_MS / 1_000,
    }),
  },
  data: {
    folder: path({
      about:
        "Folder for the embedded database, the seal key and the lock. Only the user who runs Turnup needs access.",
      standsFor: "`.turnup` in a checkout, else `~/.local/share/turnup` (`XDG_DATA_HOME`)",
    }),
  },
  database: {
    url: secret({
      about:
        "PostgreSQL 15 or later to use instead of the embedded one: `postgres://user:password@host:port/name`. `DATABASE_URL` says the same.",
      pattern: "^(postgres|postgresql|socket):",
      allowed: "a URL of PostgreSQL: postgres://user:password@host:port/name",
      is: "database",
    }),
    poolMax: integer({
      about: "Connections kept open at most by one process.",
      from: 2,
      to: 500,
      default: 16,
    }),
    statementTimeoutMs: integer({
      about: "A statement that takes longer is cut. Imports and migrations have limits of their own.",
      unit: "ms",
      from: 100,
      to: 3_600_000,
      default: 30_000,
    }),
    lockTimeoutMs: integer({
      about: "A statement that waits longer for another's lock is cut.",
      unit: "ms",
      from: 10,
      to: 3_600_000,
      default: 10_000,
    }),
  },
  seal: {
    key: secret({
      about:
        "Key that seals identifiers at rest: 64 hexadecimal digits. More than one, newest first, while a key is being changed. Without it, `seal.key` in the data folder, made at the first start. A file with it that every user of the machine can read is refused.",
      ownerOnly: true,
    }),
  },
  http: {
    host: text({ about: "Address that the API listens on.", ...HOST, default: "127.0.0.1" }),
    port: integer({ about: "Port of the API; 0 takes any free one.", from: 0, to: PORT.to, default: 8080 }),
    publicUrl: optionalText({
      about:
        "URL under which subscribers reach this server, for links in messages. Without it, host and port.",
      ...HTTP_URL,
      pattern: "^https?://[^\\s/?#@]+(?:/[^\\s?#]*)?$",
      allowed: "an http or https URL without user and query",
    }),
    trustProxy: optionalText({
      about:
        "Addresses or networks (`10.0.0.0/8`) of the proxies in front, by commas: their `X-Forwarded-For` is believed. Without it nobody's is, and all callers behind a proxy are one address.",
    }),
    bodyOctets: integer({
      about: "Largest body of a request; sightings have a limit of their own (8 MiB).",
      unit: "octets",
      from: 1_024,
      to: 67_108_864,
      default: DEFAULT_LIMITS.bodyOctets,
    }),
    requestsPerMinute: integer({
      about: "Requests of one token in a minute.",
      from: 1,
      to: 100_000_000,
      default: DEFAULT_LIMITS.requestsPerMinute,
    }),
    failuresPerMinute: integer({
      about: "Refused tokens of one address in a minute; more are not looked at.",
      from: 1,
      to: 1_000_000,
      default: DEFAULT_LIMITS.failuresPerMinute,
    }),
    guessesPerMinute: integer({
      about:
        "Unknown links of one address in a minute; after them a page asks to wait. Good links are answered all the same.",
      from: 1,
      to: 1_000_000,
      default: DEFAULT_LIMITS.guessesPerMinute,
    }),
    requestTimeoutMs: integer({
      about: "A request that has not come whole in this time is cut.",
      unit: "ms",
      from: 1_000,
      to: 600_000,
      default: DEFAULT_LIMITS.requestTimeoutMs,
    }),
    answerTimeoutMs: integer({
      about: "An answer that was not taken in this time is cut.",
      unit: "ms",
      from: 1_000,
      to: 3_600_000,
      default: DEFAULT_LIMITS.answerTimeoutMs,
    }),
    connections: integer({
      about: "Connections open at once.",
      from: 1,
      to: 1_000_000,
      default: DEFAULT_LIMITS.connections,
    }),
    connectionsPerAddress: integer({
      about:
        "Of them, those of one address; the addresses of `http.trust_proxy` stand for many and are not counted.",
      from: 1,
      to: 1_000_000,
      default: DEFAULT_LIMITS.connectionsPerAddress,
    }),
    tokenFreshMs: integer({
      about:
        "How long a token is believed without looking. A revocation is in force at once here, on other servers within a second.",
      unit: "ms",
      from: 0,
      to: 300_000,
      default: DEFAULT_LIMITS.tokenFreshMs,
    }),
    sessionIdleMinutes: integer({
      about: "A session of the console in which nothing came for this long is over.",
      unit: "minutes",
      from: 1,
      to: 1_440,
      default: 60,
    }),
    sessionHours: integer({
      about: "A session of the console is over after this time, whatever comes.",
      unit: "hours",
      from: 1,
      to: 720,
      default: 12,
    }),
  },
  smsc: {
    name: optionalText({
      about:
        "What this centre is called in metrics, in the log and at each message; needed where there are several (`[[smsc]]`). Receipts are matched by it: name a centre while it owes none. Without it, host and port.",
      pattern: SMSC_NAME,
      allowed: "a small letter, then up to 30 small letters, digits and hyphens",
    }),
    operators: list({
      about: "Short names of the operators whose messages it takes. Without it, all of them.",
      max: 1_000,
      pattern: SLUG.pattern,
      allowed: "a list of operators' short names",
    }),
    prefixes: list({
      about:
        "How the numbers begin that it takes messages for, in international form. Without it, any. The longest that fits a number is asked first, then the order of the file.",
      max: 10_000,
      pattern: "^[0-9]{1,15}$",
      allowed: "a list of digits that numbers begin with",
    }),
    drain: yesOrNo({
      about: "Nothing new goes to it; what it holds is awaited.",
      default: false,
    }),
    failoverSeconds: integer({
      about:
        "Once it is unbound for so long, the next centre that serves the same operator and number takes new messages.",
      unit: "s",
      from: 0,
      to: 86_400,
      default: 30,
    }),
    host: text({ about: "Message centre, by SMPP 3.4.", ...HOST, default: "127.0.0.1" }),
    port: integer({ about: "Its port.", ...PORT, default: 2775 }),
    tls: yesOrNo({ about: "Speak TLS with it.", default: false }),
    systemId: text({ about: "Our name there (`system_id`).", max: 15, default: "turnup" }),
    password: secret({ about: "Our password there; at most 8 octets by SMPP 3.4." }),
    systemType: optionalText({ about: "`system_type` of the bind.", max: 12 }),
    bind: oneOf(["transceiver", "transmitter+receiver"], {
      about: "Whether one bind both sends and receives, or each has a bind of its own.",
      default: "transceiver",
    }),
    binds: integer({
      about: "Binds, or pairs of them, that are kept up side by side; a bind that falls leaves the others.",
      from: 1,
      to: 16,
      default: 1,
    }),
    window: integer({
      about: "Messages sent and not yet answered, of each bind.",
      from: 1,
      to: 10_000,
      default: 100,
    }),
    ratePerSecond: optionalInteger({
      about: "Messages a second at most. Without it, what window and message centre allow.",
      unit: "messages/s",
      from: 1,
      to: 1_000_000,
    }),
    enquireLinkMs: integer({
      about: "Silence after which the link is tried.",
      unit: "ms",
      from: 1_000,
      to: 3_600_000,
      default: 30_000,
    }),
    responseTimeoutMs: integer({
      about: "A request without its answer for this long counts as lost.",
      unit: "ms",
      from: 100,
      to: 600_000,
      default: 10_000,
    }),
    receiptIds: oneOf(RECEIPT_IDS, {
      about:
        "How receipts spell the id that the centre's response gave: alike, a hexadecimal number in decimal, or the reverse. `either` tries all; name the right one as soon as it is known.",
      default: "as-is",
    }),
    tlsAuthorityFile: path({
      about:
        "PEM of the authority that the centre's certificate is trusted by. Without it, those of the system.",
    }),
    tlsCertificateFile: path({ about: "PEM of our certificate for the centre, where it asks for one." }),
    tlsKeyFile: path({ about: "PEM of its private key." }),
    longPassword: yesOrNo({
      about: "The centre takes a password of more than eight octets, which SMPP 3.4 has no room for.",
      default: false,
    }),
    alphabet: oneOf(DEFAULT_ALPHABETS, {
      about:
        "What the centre takes octets behind `data_coding` 0 for: the GSM 03.38 alphabet, ASCII or Latin-1. In the wrong one a link arrives without its `_`.",
      default: "gsm7",
    }),
    nameSource: text({
      about: "Type of number and numbering plan of a sender that is a name.",
      ...TON_NPI,
      default: "5/0",
    }),
    shortCodeSource: text({
      about: "Type of number and numbering plan of a sender of less than seven digits.",
      ...TON_NPI,
      default: "6/1",
    }),
    numberSource: text({
      about: "Type of number and numbering plan of a sender that is a phone number.",
      ...TON_NPI,
      default: "1/1",
    }),
    receiptsMarked: yesOrNo({
      about:
        "Whether the centre marks receipts as such (`esm_class`, or the parameters `receipted_message_id` and `message_state`). False takes a text that reads as a receipt for one, whoever wrote it.",
      default: true,
    }),
    receiptsPer: oneOf(["part", "message"], {
      about: "Whether each part of a long message has its receipt, or the message one for all parts.",
      default: "part",
    }),
  },
  applet: {
    shortCode: optionalText({
      about:
        "Number to which the IMEI-tracking applet on the operator's cards reports, and nothing else; without it none is listened to.",
      pattern: "^\\d{2,15}$",
      allowed: "2 to 15 digits",
    }),
    operator: optionalText({
      about: "Short name of the operator whose cards report. Without it, the one that was made first.",
      ...SLUG,
    }),
    textPattern: optionalText({
      about:
        "Regular expression (RE2: no look-around, no back-references) for reports in text, with groups named `imei` and, where the text has them, `imsi`, `iccid`, `home`. Without it, `IMEI:... IMSI:...` and the like.",
    }),
  },
  sightings: {
    knownPairs: integer({
      about:
        "Most pairs of SIM and handset that are known without asking the database: about 45 octets of memory each, for as many as there are.",
      unit: "pairs",
      from: 100_000,
      to: 100_000_000,
      default: 10_000_000,
    }),
  },
  delivery: {
    batch: integer({ about: "Messages that one worker claims at once.", from: 1, to: 5_000, default: 250 }),
  },
  maker: {
    authorityFile: path({ about: "PEM of the authority that manufacturers' key servers are trusted by." }),
    certificateFile: path({ about: "PEM of our certificate for manufacturers' key servers (mutual TLS)." }),
    keyFile: path({ about: "PEM of its private key." }),
    timeoutMs: integer({
      about: "A key server without an answer for this long is asked again later.",
      unit: "ms",
      from: 100,
      to: 120_000,
      default: 10_000,
    }),
    tunnelInterface: optionalText({
      about: "Network interface of the VPN to the manufacturers: without it up, no request leaves.",
      max: 15,
    }),
  },
  bank: {
    url: optionalText({ about: "The operator's payment system. Without it, fees wait.", ...SECURE_URL }),
    secret: secret({ about: "Our bearer secret there.", ...HEADER_TEXT }),
    timeoutMs: integer({
      about: "A payment system without an answer for this long is asked again later.",
      unit: "ms",
      from: 100,
      to: 120_000,
      default: 10_000,
    }),
  },
  identity: {
    url: optionalText({
      about:
        "Identity bureau by CAMARA KYC Match 0.4, for operators whose policy has users verified outside.",
      ...SECURE_URL,
    }),
    secret: secret({
      about: "Our bearer token there; with `identity.token_url`, our client secret.",
      ...HEADER_TEXT,
    }),
    tokenUrl: optionalText({
      about: "Where access tokens for it are had (OAuth client credentials).",
      ...SECURE_URL,
      pattern: `${SECURE_ORIGIN}(/[^\\s#]*)?$`,
      allowed: "an https URL without a user, or http on this machine",
    }),
    clientId: text({ about: "Who we are at `identity.token_url`.", max: 100, default: "turnup" }),
    scope: text({ about: "Scope that is asked for there.", max: 200, default: "kyc-match:match" }),
    idDocumentType: optionalText({
      about: "What an identity document is here: `passport`, `national_id_card`, `driver_licence`, ...",
      pattern:
        "^(passport|national_id_card|residence_permit|diplomatic_id|driver_licence|social_security_id|other)$",
      allowed: "a document type of CAMARA KYC Match",
    }),
    authorityFile: path({
      about: "PEM of the only authority it is trusted by; the system's list without it.",
    }),
    timeoutMs: timeoutOf("An identity bureau"),
  },
  payment: {
    url: optionalText({
      about: "Payment provider that takes cards and bank accounts. Without it, neither is taken.",
      ...SECURE_URL,
    }),
    secret: secret({ about: "Our bearer secret there.", ...HEADER_TEXT }),
    authorityFile: path({
      about: "PEM of the only authority it is trusted by; the system's list without it.",
    }),
    cardsOnly: yesOrNo({
      about:
        "It takes cards alone: no form offers a bank account, and the API refuses one. Without it that is learned from its first answer.",
      default: false,
    }),
    returnsPollMs: integer({
      about:
        "How often it is asked what came back of what it took: direct debits returned or refunded, cards charged back.",
      unit: "ms",
      from: 1_000,
      to: 86_400_000,
      default: 900_000,
    }),
    timeoutMs: timeoutOf("A payment provider"),
  },
  service: {
    providersFile: path({
      about:
        "JSON of the service servers that we have a contract with, each with its certificate and key (below).",
    }),
    timeoutMs: timeoutOf("A service server"),
  },
  element: {
    url: optionalText({
      about: "Network elements by TMF640 v4: the URL before `/tmf-api`. One may have a URL of its own.",
      ...SECURE_URL,
    }),
    secret: secret({ about: "Our bearer secret there.", ...HEADER_TEXT }),
    billingPlanUrl: optionalText({ about: "Of the billing plan, where it is elsewhere.", ...SECURE_URL }),
    voiceMailUrl: optionalText({ about: "Of voice mail, where it is elsewhere.", ...SECURE_URL }),
    forwardingUrl: optionalText({ about: "Of call forwarding, where it is elsewhere.", ...SECURE_URL }),
    eMailUrl: optionalText({ about: "Of e-mail, where it is elsewhere.", ...SECURE_URL }),
    hlrProfileUrl: optionalText({ about: "Of the HLR's profile, where it is elsewhere.", ...SECURE_URL }),
    authorityFile: path({
      about: "PEM of the only authority they are trusted by; the system's list without it.",
    }),
    timeoutMs: timeoutOf("An element"),
    pollMs: integer({
      about: "Between two questions to the monitor of a slow element.",
      unit: "ms",
      from: 10,
      to: 60_000,
      default: 1_000,
    }),
    polls: integer({
      about: "Questions to a monitor at most; after them the task comes again later.",
      from: 1,
      to: 100,
      default: 10,
    }),
  },
  billing: {
    url: optionalText({ about: "Billing centre, by HTTP.", ...SECURE_URL }),
    secret: secret({ about: "Our bearer secret there.", ...HEADER_TEXT }),
    authorityFile: path({
      about: "PEM of the only authority it is trusted by; the system's list without it.",
    }),
    csvFile: path({ about: "File that gets a line for each notice, instead of `billing.url`." }),
    timeoutMs: timeoutOf("A billing centre"),
  },
  peer: {
    file: path({
      about:
        "JSON: other provisioning servers that items of the catalog name, with how people call them and how requests are forwarded there.",
    }),
    timeoutMs: timeoutOf("Another provisioning server"),
  },
  mail: {
    host: optionalText({
      about: "Mail server for terms and notices, by SMTP. Without it, none are mailed.",
      ...HOST,
    }),
    port: integer({ about: "Its port.", ...PORT, default: 587 }),
    tls: oneOf(["starttls", "implicit", "none"], {
      about: "How the connection is secured; `none` on this machine alone.",
      default: "starttls",
    }),
    user: optionalText({ about: "Who we are there.", max: 320 }),
    password: secret({ about: "Our password there." }),
    authorityFile: path({
      about: "PEM of the only authority it is trusted by; the system's list without it.",
    }),
    from: optionalText({
      about: "Sender of what is mailed.",
      max: 320,
      pattern: "^[^\\s@<>,;]+@[^\\s@<>,;]+$",
      allowed: "an e-mail address",
    }),
    faxGateway: optionalText({
      about:
        "Domain of a mail-to-fax gateway (`FAX=+NUMBER@gateway`, RFC 3191). Without it, nothing is faxed.",
      max: 253,
      pattern: "^[A-Za-z0-9.-]+$",
      allowed: "a domain",
    }),
    timeoutMs: timeoutOf("A mail server"),
  },
  apple: {
    certificateFile: path({
      about:
        "PEM of the certificate that configuration profiles for iPhones are signed with, then those above it: the web server's own will do. Without it they go out unsigned, and the page says so.",
    }),
    keyFile: path({ about: "PEM of its private key: RSA, or EC of P-256." }),
  },
  partner: {
    host: text({
      about: "Address of the API's own door for partners and voice platforms, by mutual TLS 1.3.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({
      about: "Its port; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    authorityFile: path({ about: "PEM of the authorities whose certificates are let in there." }),
    certificateFile: path({ about: "PEM of the server's certificate there." }),
    keyFile: path({ about: "PEM of its private key." }),
    clientsFile: path({
      about: "JSON: for which token of the API each certificate stands, by a name in it.",
    }),
  },
  radius: {
    host: text({
      about: "Address that the server listens on for RADIUS accounting of packet gateways.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({
      about: "UDP port for it, 1813 by custom; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    clientsFile: path({
      about:
        "JSON: the gateways, each with its addresses and the file of its secret, or its certificate, and whose subscribers it tells of.",
    }),
    tlsPort: optionalInteger({
      about:
        "TCP port for RADIUS over TLS, 2083 by custom; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    authorityFile: path({ about: "PEM of the authorities whose certificates gateways show there." }),
    certificateFile: path({ about: "PEM of the server's certificate there." }),
    keyFile: path({ about: "PEM of its private key." }),
  },
  equipment: {
    listsFile: path({
      about:
        "JSON: the lists of handsets by which cores are answered, each with its status, priority and file. Without it everybody is answered as on no list.",
    }),
    whenUnlisted: oneOf(["white", "grey", "unknown"], {
      about: "Answer for a handset on no list; `unknown` may shut handsets out, by the core's own rule.",
      default: "white",
    }),
    whenSpecial: oneOf(["white", "grey", "black", "unknown"], {
      about: "Answer for numbers that are no handset's: zeros, one digit over and over, test numbers.",
      default: "white",
    }),
    answersBlack: yesOrNo({
      about: "No lets everybody in, whatever lists say: the switch for a list that went wrong.",
      default: true,
    }),
  },
  s13: {
    host: text({
      about:
        "Address that the server listens on for Diameter S13: MMEs and SGSNs ask whether a handset may be used.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({
      about:
        "Its TCP port, 3868 by custom (5658 with TLS); 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    originHost: optionalText({
      about: "Our name to peers, as eir.epc.mnc001.mcc001.3gppnetwork.org.",
      max: 255,
    }),
    originRealm: optionalText({ about: "Our realm; questions for another are refused.", max: 255 }),
    peersFile: path({
      about: "JSON: the peers, each with its name to us, its addresses and whose subscribers it asks for.",
    }),
    authorityFile: path({
      about:
        "PEM of the authorities of peers' certificates: with it, and the next two, the door speaks TLS alone.",
    }),
    certificateFile: path({ about: "PEM of the server's certificate there." }),
    keyFile: path({ about: "PEM of its private key." }),
  },
  gsup: {
    host: text({
      about:
        "Address that the server listens on for GSUP: MSCs and SGSNs of an Osmocom core find us in the place of their HLR.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({
      about: "Its TCP port, 4222 by custom; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    registerHost: optionalText({
      about: "Where the HLR is: all goes on to it. Without it CHECK-IMEI alone is answered.",
      ...HOST,
    }),
    registerPort: integer({ about: "Its GSUP port.", ...PORT, default: 4_222 }),
    clientsFile: path({
      about: "JSON: the MSCs and SGSNs, each with its addresses and whose subscribers it asks for.",
    }),
  },
  eir: {
    host: text({
      about:
        "Address that the server listens on as a 5G-EIR (N5g-eir, HTTP/2): AMFs ask whether a handset may be used.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({
      about: "Its port; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    prefix: optionalText({
      about: "Path of the API root in front of `/n5g-eir-eic/v1`, as `/eir`.",
      max: 100,
      pattern: "^(?:/[A-Za-z0-9._~-]+)+$",
      allowed: "a path that begins with / and ends without",
    }),
    clientsFile: path({
      about: "JSON: the functions that may ask, each with its addresses and whose subscribers it asks for.",
    }),
    nrfKeysFile: path({
      about:
        "PEM of the NRF's public keys or certificates: with it each request needs a token of the NRF for this service.",
    }),
    instanceId: optionalText({
      about: "Our NF instance id, where tokens name it as their audience instead of `5G_EIR`.",
      max: 36,
    }),
    authorityFile: path({
      about:
        "PEM of the authorities of clients' certificates: with it, and the next two, the door speaks TLS alone.",
    }),
    certificateFile: path({ about: "PEM of the server's certificate there." }),
    keyFile: path({ about: "PEM of its private key." }),
  },
  camara: {
    issuer: optionalText({
      about:
        "Issuer (`iss`) of the access tokens with which others use the CAMARA APIs. Without it there are none.",
      ...HTTP_URL,
    }),
    audience: optionalText({
      about: "Audience (`aud`) of those tokens: what stands for us there.",
      max: 300,
    }),
    keysFile: path({ about: "PEM of the public keys or certificates by which the issuer signs." }),
    clientsFile: path({
      about: "JSON: who may ask, whose subscribers they ask for, and with which scopes.",
    }),
    numberClaim: text({
      about:
        "Claim that has the subscriber's number, as `+` and digits: a token without it names no subscriber.",
      default: "phone_number",
      max: 100,
    }),
    networkMethods: text({
      about:
        "Words of the claim `amr`, by commas, of whom the network itself knew by their connection or SIM: Number Verification wants one.",
      default: "mca,nba,sim",
      max: 300,
    }),
    monitoredDays: optionalInteger({
      about: "How far back changes of SIM and handset are told, in days; without it, without end.",
      from: 1,
      to: 3_650,
    }),
    requestsPerMinute: integer({
      about: "Of one client.",
      from: 1,
      to: 1_000_000,
      default: 6_000,
    }),
  },
  tls: {
    crlPath: path({
      about:
        "Revocation lists of authorities whose certificates callers show (proxies, partners, devices of a factory): a file or a folder, PEM or DER. Read again when it changes.",
    }),
    ocspUrl: optionalText({
      about:
        "Responder (OCSP) that is asked for certificates of authorities without a list in force; its answers are kept until their next update.",
      ...HTTP_URL,
    }),
    ocspFromCertificate: yesOrNo({
      about: "Without `tls.ocsp_url`, ask the responder that a certificate itself names.",
      default: false,
    }),
    revocationWhenAway: oneOf(["refuse", "accept"], {
      about:
        "What becomes of a caller where a list has lapsed or the responder does not say: nobody is let in whose certificate may have been taken back, or everybody whose was not said to be.",
      default: "refuse",
    }),
    revocationTimeoutMs: integer({
      about: "A responder without an answer for this long is away.",
      unit: "ms",
      from: 100,
      to: 60_000,
      default: 3_000,
    }),
  },
  issuer: {
    name: text({
      about: "Name under which keys of the own store are signed.",
      max: 32,
      default: "own.turnup",
    }),
  },
  proxy: {
    host: text({
      about: "Address that `turnup proxy` listens on for devices, by TLS 1.3.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: integer({ about: "Its port; 0 takes any free one.", from: 0, to: PORT.to, default: 8444 }),
    gatewayHost: text({
      about: "Address for the operator's own WAP gateways, plain HTTP inside the operator's network.",
      ...HOST,
      default: "127.0.0.1",
    }),
    gatewayPort: optionalInteger({ about: "Its port. Without it there is no such door.", ...PORT }),
    olderTls: yesOrNo({
      about:
        "Let devices in that have TLS 1.2 and nothing newer, with ECDHE and authenticated ciphers alone; their certificates then pass in clear.",
      default: false,
    }),
    folder: path({
      about: "Folder for the proxy's certificates, keys and sealed journal of accounts.",
      standsFor: "`proxy` in the data folder",
    }),
    policyFile: path({
      about: "JSON: the proxy's id, provisioning servers, factories' authorities, gateways, bearers.",
    }),
    accountsFile: path({
      about: "JSON lines of devices, `deviceId`, `imsi`, `msisdn`, that have an account from the start.",
    }),
    manageHost: text({
      about: "Address of the proxy's door for its operator (accounts, measures), by TLS 1.3.",
      ...HOST,
      default: "127.0.0.1",
    }),
    managePort: optionalInteger({
      about: "Its port; 0 takes any free one. Without it there is no such door.",
      from: 0,
      to: PORT.to,
    }),
    manageSecret: secret({
      about: "Bearer secret that whoever comes to that door must show; 16 characters at least.",
      ...HEADER_TEXT,
    }),
    timeoutMs: integer({
      about: "A provisioning server without an answer for this long is taken as away.",
      unit: "ms",
      from: 100,
      to: 120_000,
      default: 15_000,
    }),
  },
  land: {
    host: text({
      about: "Address that the server listens on for proxies, by mutual TLS 1.3.",
      ...HOST,
      default: "127.0.0.1",
    }),
    port: optionalInteger({ about: "Its port. Without it no proxy is served.", from: 0, to: PORT.to }),
    id: text({ about: "The server's name in its proofs to proxies.", max: 64, default: "turnup" }),
    url: optionalText({
      about:
        "Origin by which devices address this door through proxies, as `servers` of their policy has it: notices name it. Without it, host and port of the door.",
      max: 300,
      pattern: "^https://[^\\s/?#@]+$",
      allowed: "https://host:port",
      is: "url",
    }),
    authorityFile: path({ about: "PEM of the authority that proxies are trusted by." }),
    certificateFile: path({ about: "PEM of the server's certificate for proxies." }),
    keyFile: path({ about: "PEM of its private key." }),
    signingKeyFile: path({
      about: "PEM of the Ed25519 key by which the server proves itself; the same on every node.",
    }),
    proxiesFile: path({ about: "JSON: the proxies, each with its id and the keys that it signs with." }),
  },
  portal: {
    operator: optionalText({
      about:
        "Slug of the operator whose portal this server shows under /d/ and behind its door for proxies. Without it the one that was made first.",
      ...SLUG,
    }),
    carePhone: optionalText({
      about: "Where subscribers call for help: shown before anything is set up.",
      max: 40,
    }),
    careUrl: optionalText({
      about: "Where subscribers look for help.",
      max: 300,
      pattern: "^(?:https?://|mailto:|tel:)[^\\s]+$",
      allowed: "a URL that begins with https://, http://, mailto: or tel:",
    }),
    agent: optionalText({
      about: "Where the telephone menu puts callers through who get no further: `tel:+442079460018`.",
      max: 60,
      pattern: "^(?:tel|sips?):[^\\s]+$",
      allowed: "an address that begins with tel:, sip: or sips:",
    }),
    voicePlatforms: optionalText({
      about:
        "Addresses of voice platforms, by commas, that ask for `/voice` without a token; behind a proxy only with `http.trust_proxy`.",
    }),
    signInsPerAddress: integer({
      about:
        "Ways in by SMS that one address may ask for in 15 minutes and leave unused; those that let somebody in do not count. Behind a carrier's address translation are thousands of subscribers: set it to what the largest of yours needs.",
      from: 1,
      to: 1_000_000,
      default: DEFAULT_PORTAL_LIMITS.signInsPerAddress,
    }),
    pagesPerAddress: integer({
      about:
        "Pages that visitors of one address who have not signed in may ask for in a minute; who has signed in has 300 of their own.",
      from: 1,
      to: 10_000_000,
      default: DEFAULT_PORTAL_LIMITS.pagesPerAddress,
    }),
    gatewaysFile: path({
      about:
        "JSON: the operator's own WAP gateways in front of this server; their headers alone name a line.",
    }),
  },
  jobs: {
    keptDays: integer({
      about:
        "How long a job (an import, a replay) can be looked at behind its end, with what became of each of its rows.",
      unit: "days",
      from: 1,
      to: 3_650,
      default: 90,
    }),
  },
  events: {
    keptDays: integer({
      about:
        "How long the feed of events can be read behind, and a position of it is good; orders keep their own history by the policy.",
      unit: "days",
      from: 1,
      to: 365,
      default: 30,
    }),
  },
  log: {
    level: oneOf(["trace", "debug", "info", "warn", "error", "fatal"], {
      about: "The least important messages that are written.",
      default: "info",
    }),
  },
} as const;

type Settings = typeof SETTINGS;
type ValueOf<S> =
  S extends TOptional<infer T>
    ? Type.Static<T & TSchema> | undefined
    : S extends TSchema
      ? Type.Static<S>
      : never;

/** What the program is given: each section, each setting, by its name in code. */
export type Config = {
  readonly [Section in keyof Settings]: {
    readonly [Key in keyof Settings[Section]]: ValueOf<Settings[Section][Key]>;
  };
} & {
  /** The entries of `[[smsc]]`, in the order of the file; none where the one centre stands in `smsc`. */
  readonly smscEntries: readonly SmscSettings[];
};

/** One message centre. */
export type SmscSettings = { readonly [Key in keyof Settings["smsc"]]: ValueOf<Settings["smsc"][Key]> };

/** All message centres, whichever way they are written. */
export const messageCentresOf = ({
  smsc,
  smscEntries,
}: Pick<Config, "smsc" | "smscEntries">): readonly SmscSettings[] =>
  smscEntries.length > 0 ? smscEntries : [smsc];
