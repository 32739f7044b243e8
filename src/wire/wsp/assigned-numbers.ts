/** Numbers that stand for names in WSP headers. Source: WAP-230-WSP appendix A and the registry that continues it. */

/** The place in the list is the code. */
const FIRST_CONTENT_TYPES =
  "*/* text/* text/html text/plain text/x-hdml text/x-ttml text/x-vCalendar text/x-vCard text/vnd.wap.wml " +
  "text/vnd.wap.wmlscript text/vnd.wap.wta-event multipart/* multipart/mixed multipart/form-data " +
  "multipart/byteranges multipart/alternative application/* application/java-vm " +
  "application/x-www-form-urlencoded application/x-hdmlc application/vnd.wap.wmlc " +
  "application/vnd.wap.wmlscriptc application/vnd.wap.wta-eventc application/vnd.wap.uaprof " +
  "application/vnd.wap.wtls-ca-certificate application/vnd.wap.wtls-user-certificate application/x-x509-ca-cert " +
  "application/x-x509-user-cert image/* image/gif image/jpeg image/tiff image/png image/vnd.wap.wbmp " +
  "application/vnd.wap.multipart.* application/vnd.wap.multipart.mixed application/vnd.wap.multipart.form-data " +
  "application/vnd.wap.multipart.byteranges application/vnd.wap.multipart.alternative application/xml text/xml " +
  "application/vnd.wap.wbxml application/x-x968-cross-cert application/x-x968-ca-cert " +
  "application/x-x968-user-cert text/vnd.wap.si application/vnd.wap.sic text/vnd.wap.sl application/vnd.wap.slc " +
  "text/vnd.wap.co application/vnd.wap.coc application/vnd.wap.multipart.related application/vnd.wap.sia " +
  "text/vnd.wap.connectivity-xml application/vnd.wap.connectivity-wbxml application/pkcs7-mime " +
  "application/vnd.wap.hashed-certificate application/vnd.wap.signed-certificate " +
  "application/vnd.wap.cert-response application/xhtml+xml application/wml+xml text/css " +
  "application/vnd.wap.mms-message application/vnd.wap.rollover-certificate application/vnd.wap.locc+wbxml " +
  "application/vnd.wap.loc+xml application/vnd.syncml.dm+wbxml application/vnd.syncml.dm+xml " +
  "application/vnd.syncml.notification application/vnd.wap.xhtml+xml application/vnd.wv.csp.cir " +
  "application/vnd.oma.dd+xml application/vnd.oma.drm.message application/vnd.oma.drm.content " +
  "application/vnd.oma.drm.rights+xml application/vnd.oma.drm.rights+wbxml";

const CONTENT_TYPES: ReadonlyMap<number, string> = new Map([
  ...FIRST_CONTENT_TYPES.split(" ").entries(),
  [0x020b, "application/vnd.nokia.syncset+wbxml"],
]);
const CONTENT_TYPE_CODES = reversed(CONTENT_TYPES);

/** The content type of a number; undefined where the registry has none here. */
export const contentTypeOf = (code: number): string | undefined => CONTENT_TYPES.get(code);
/** The number of a content type, in the registry's spelling. */
export const contentTypeCodeOf = (contentType: string): number | undefined =>
  CONTENT_TYPE_CODES.get(contentType);

/** Names of content type parameters by their number. */
export const PARAMETERS: ReadonlyMap<number, string> = new Map([
  [0x00, "Q"],
  [0x01, "Charset"],
  [0x02, "Level"],
  [0x03, "Type"],
  [0x05, "Name"],
  [0x06, "Filename"],
  [0x07, "Differences"],
  [0x08, "Padding"],
  [0x09, "Type-Related"],
  [0x0a, "Start"],
  [0x0b, "Start-Info"],
  [0x0c, "Comment"],
  [0x0d, "Domain"],
  [0x0e, "Max-Age"],
  [0x0f, "Path"],
  [0x10, "Secure"],
  [0x11, "SEC"],
  [0x12, "MAC"],
  [0x13, "Creation-Date"],
  [0x14, "Modification-Date"],
  [0x15, "Read-Date"],
  [0x16, "Size"],
]);
/** The other way. */
export const PARAMETER_CODES = reversed(PARAMETERS);

/** Those that pushes carry; any other code is named by its number. */
export const HEADER_FIELDS: ReadonlyMap<number, string> = new Map([
  [0x0d, "Content-Length"],
  [0x0e, "Content-Location"],
  [0x12, "Date"],
  [0x14, "Expires"],
  [0x1d, "Last-Modified"],
  [0x2f, "X-Wap-Application-Id"],
  [0x30, "X-Wap-Content-URI"],
  [0x31, "X-Wap-Initiator-URI"],
  [0x33, "Bearer-Indication"],
  [0x34, "Push-Flag"],
  [0x40, "Content-ID"],
  [0x43, "Encoding-Version"],
]);
/** The numbers of header fields by their name. */
export const HEADER_FIELD_CODES = reversed(HEADER_FIELDS);

/** Fields whose value is an integer, so that a length and octets in front of it are a long integer. */
export const INTEGER_FIELDS: readonly string[] = [
  "Content-Length",
  "Date",
  "Expires",
  "Last-Modified",
  "X-Wap-Application-Id",
  "Bearer-Indication",
  "Push-Flag",
];

function reversed(names: ReadonlyMap<number, string>): ReadonlyMap<string, number> {
  return new Map(Array.from(names, ([code, name]) => [name, code]));
}
