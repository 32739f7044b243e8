/**
 * What a device, a proxy and a provisioning server say to each other (US 6,647,260): addresses and names of fields.
 *
 *   device -> proxy     TLS 1.3, the device's certificate.  /r/<server>/d/...   <server> is host:port of one of the
 *                       proxy's provisioning servers; /.well-known/est/... enrols the device's own key (RFC 7030)
 *   proxy -> server     mutual TLS, and each request signed (RFC 9421).  /d/...  the same path without /r/<server>
 *
 * On the land side answers are screens in their neutral form (`wire/screen`), and content as it is; the proxy turns screens into
 * the markup that the device shows, and rewrites their addresses so that they lead through it again.
 *
 *   GET  /d/start                              the first screen: packages, features, services
 *   GET  /d/...                                further screens; lists, items, forms (the server's own affair)
 *   POST /d/requests                           account data and selection in one (form or JSON); answers the status screen
 *   GET  /d/orders/:reference                  status screen
 *   POST /d/orders/:reference/terms            answer=accept|decline
 *   POST /d/orders/:reference/items/:id/fields       just the fields that were asked for
 *   POST /d/orders/:reference/items/:id/choice       choice=retransmit|give_up
 *   GET  /d/orders/:reference/items/:id/content      signed content (`content.ts`), wideband
 *   POST /d/orders/:reference/items/:id/report       outcome=installed|failed, cause=..., modules=Name version,...
 *   POST /d/authentications                    proxy to server alone: the server proves itself and opens the land session
 *   POST /d/enrolments                         proxy to server alone: whose is this one-time token of enrolment; it is kept
 *                                              or spent by the question
 */

/** Paths of the table above. References and ids go in as they are; a server's name is escaped. */
export const DEVICE_PATHS = {
  start: "/d/start",
  requests: "/d/requests",
  authentications: "/d/authentications",
  enrolments: "/d/enrolments",
  order: (reference: string) => `/d/orders/${reference}`,
  terms: (reference: string) => `/d/orders/${reference}/terms`,
  fields: (reference: string, itemId: string) => `/d/orders/${reference}/items/${itemId}/fields`,
  choice: (reference: string, itemId: string) => `/d/orders/${reference}/items/${itemId}/choice`,
  content: (reference: string, itemId: string) => `/d/orders/${reference}/items/${itemId}/content`,
  report: (reference: string, itemId: string) => `/d/orders/${reference}/items/${itemId}/report`,
  /** Through a proxy. */
  through: (server: string, path: string) => `/r/${encodeURIComponent(server)}${path}`,
} as const;

/**
 * Headers of the land leg; they come from the proxy alone, are covered by its signature, and are stripped from what
 * anybody else sends.
 */
export const LAND_HEADERS = {
  /** 15 digits. */
  imei: "turnup-imei",
  imsi: "turnup-imsi",
  msisdn: "turnup-msisdn",
  /** cert, aka, network, link, otp or none. */
  assurance: "turnup-assurance",
  /** Bearer profile of the air side: gsm, cdma, tdma, cdpd, pdc, phs, umts, lte. */
  bearer: "turnup-bearer",
  /** The most octets that one answer may have on the air side, where its bearer has no packet data; else absent. */
  airOctets: "turnup-air-octets",
  /** What the device can show: `markups=wml,xhtml; screen=16x4`. */
  capability: "turnup-capability",
  /** Token of the land session, bound to the proxy's certificate; useless on the air side. */
  session: "turnup-session",
  /** BCP 47. */
  language: "accept-language",
} as const;

/**
 * The proxy's signature over each message of the land leg (RFC 9421). The fixed components are always there, with a
 * digest of the empty body too; the fields are covered wherever the message has them, so that none can be put in.
 */
export const LAND_SIGNATURE = {
  label: "proxy",
  leg: "land",
  tag: "turnup",
  required: ["@method", "@authority", "@path", "@query", "content-digest"],
  fields: [...Object.values(LAND_HEADERS), "content-type", "idempotency-key", "turnup-notice-key"],
} as const;

/** What the device itself may say on the air side; the proxy believes none of it about identity. */
export const AIR_HEADERS = {
  /** What the device can show, where its model is not known. */
  capability: "turnup-capability",
  /** Base64 of the 32 octets that secure narrowband notices to this client. */
  noticeKey: "turnup-notice-key",
  /** A client module sends one with every POST; a repeat gets the first answer again. */
  idempotencyKey: "idempotency-key",
  /** Token of the air session, bound to the device's certificate; useless on the land side. */
  session: "turnup-air-session",
  /** A hint, believed where the proxy does not know the bearer by the address. */
  bearer: "turnup-bearer",
  /** What the device says its own ID is: it must equal its account's (R10). Never forwarded. */
  deviceId: "turnup-device-id",
} as const;

/** How the proxy came to know who asks, strongest first; the kernel's `ASSURANCES` are the same words. */
export const LEG_ASSURANCES = ["cert", "aka", "network", "link", "otp", "none"] as const;
export type LegAssurance = (typeof LEG_ASSURANCES)[number];

/** What carries a device's session; the proxy tells the server which. */
export const BEARERS = ["gsm", "cdma", "tdma", "cdpd", "pdc", "phs", "umts", "lte"] as const;
export type Bearer = (typeof BEARERS)[number];

/** The authentication request (claims 20 and 26): what the proxy asks a provisioning server before it forwards anything. */
export type AuthenticationRequest = {
  /** 32 octets, base64. */
  readonly nonce: string;
  readonly proxy: string;
  readonly at: string;
};
/** The server's own credentials: an Ed25519 signature over `authenticationText`, by a key that the proxy has pinned. */
export type AuthenticationAnswer = {
  readonly server: string;
  readonly nonce: string;
  readonly at: string;
  /** Token of the land session and when it ends (RFC 3339). */
  readonly session: string;
  readonly expiresAt: string;
  /** base64 */
  readonly signature: string;
};
/** What is signed: one field a line, LF between, no LF at the end. */
export const authenticationText = ({
  server,
  nonce,
  at,
  session,
  expiresAt,
  proxy,
}: Omit<AuthenticationAnswer, "signature"> & { readonly proxy: string }): string =>
  ["turnup-authentication-1", server, proxy, nonce, at, session, expiresAt].join("\n");

/**
 * Whose a one-time token of enrolment is. The question spends it, unless `keep` is true: a proxy looks first whether it would
 * issue anything. Servers of the release before know no `keep` and answer it with 400.
 */
export type EnrolmentRequest = { readonly token: string; readonly keep?: boolean | undefined };
/** Whose device enrols: digits of the SIM, and of the number and the handset where they are known. */
export type EnrolmentAnswer = {
  readonly imsi: string;
  readonly msisdn: string | null;
  readonly imei: string | null;
};

/** Of the proxy's screen that stands for a server which does not answer now, with status 503: the device may ask again. */
export const UNAVAILABLE_SCREEN_ID = "unavailable";
