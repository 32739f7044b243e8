/** MMS PDUs as others wrote them, octet by octet, and what they say. */
import type { NewMmsPdu } from "../../src/wire/mms/codec.ts";

type MmsVector = {
  readonly name: string;
  readonly origin: string;
  readonly hex: string;
  readonly says: object;
};

const NOTIFICATIONS =
  "notifications as American networks sent them, anonymised; from the tests of android-sms-gateway (Apache-2.0), octets only";
const FORUM =
  "the headers of a message of Nokia's EAIF tools, as a reader of the NowSMS forum showed them in 2004; the body is ours";

export const MMS_VECTORS: readonly MmsVector[] = [
  {
    name: "a notification of MMS 1.3 with its sender in plain text",
    origin: NOTIFICATIONS,
    hex:
      "8c829874312d505a4a4b6e446f3772008d938917803139313632323535383837 2f545950453d504c4d4e008a808805810303f47f8e020539" +
      "83687474703a2f2f7878782e78787878787878782e78782f6d6d73633f78782d7878787878787878 7800",
    says: {
      type: "m-notification-ind",
      transactionId: "t1-PZJKnDo7r",
      version: "1.3",
      from: "19162255887/TYPE=PLMN",
      messageClass: "personal",
      expiry: { kind: "relative", seconds: 259_199 },
      messageSize: 1_337,
      contentLocation: "http://xxx.xxxxxxxx.xx/mmsc?xx-xxxxxxxxx",
    },
  },
  {
    name: "a notification of MMS 1.2 with its sender under a charset, and a report asked for",
    origin: NOTIFICATIONS,
    hex:
      "8c82986d2d372d3131322d332d6365663765662d62392d35312d32008d92890f800d833139313632323535383837008a808e0202838805810303f480" +
      "83687474703a2f2f78782e782d7878787878782e7878782f6d6d3f543d6d2d782d78782d782d7878787878782d7878008680",
    says: {
      type: "m-notification-ind",
      transactionId: "m-7-112-3-cef7ef-b9-51-2",
      version: "1.2",
      from: "19162255887",
      messageClass: "personal",
      messageSize: 643,
      expiry: { kind: "relative", seconds: 259_200 },
      contentLocation: "http://xx.x-xxxxxx.xxx/mm?T=m-x-xx-x-xxxxxx-xx",
      deliveryReport: "yes",
    },
  },
  {
    name: "a message to send of MMS 1.0, with a date, a subject and a part of text",
    origin: FORUM,
    hex:
      "8c8098303030303035008d9085043c57fb15891980 2b3335383939303030303036362f545950453d504c4d4e00" +
      "972b3335383939303030303030332f545950453d504c4d4e00965468697320697320612074657374204d4d53206d65737361676521 00" +
      "868190818a818f8084a3 01 04 02 03838183 6869",
    says: {
      type: "m-send-req",
      transactionId: "000005",
      version: "1.0",
      date: new Date("2002-01-30T13:54:29Z"),
      from: "+358990000066/TYPE=PLMN",
      to: ["+358990000003/TYPE=PLMN"],
      subject: "This is a test MMS message!",
      deliveryReport: "no",
      readReport: "no",
      messageClass: "advertisement",
      priority: "low",
    },
  },
];

const AT = new Date("2026-11-29T12:00:00Z");
const TEXT = { contentType: "text/plain", params: { Charset: 106 }, body: Buffer.from("Grüße") };
const SMIL = {
  contentType: "application/smil",
  headers: [{ name: "Content-ID", value: '"<start>' }],
  body: Buffer.from("<smil/>"),
};

/** One of each kind, as our simulators write them. */
export const MMS_SAMPLES: readonly NewMmsPdu[] = [
  {
    type: "m-send-req",
    transactionId: "t1",
    version: "1.2",
    date: AT,
    from: null,
    to: ["+88210100001/TYPE=PLMN", "+88210100002/TYPE=PLMN"],
    cc: ["friend@mail.example"],
    subject: "Grüße",
    deliveryReport: "yes",
    content: {
      contentType: "application/vnd.wap.multipart.related",
      params: { "Type-Related": "application/smil", Start: "<start>" },
      parts: [SMIL, TEXT],
    },
  },
  {
    type: "m-send-conf",
    transactionId: "t1",
    version: "1.2",
    responseStatus: "ok",
    messageId: "a1@mmsc.example",
  },
  {
    type: "m-notification-ind",
    transactionId: "n1",
    version: "1.2",
    from: "+88210100000/TYPE=PLMN",
    messageClass: "personal",
    messageSize: 90,
    expiry: { kind: "relative", seconds: 86_400 },
    contentLocation: "http://mmsc.example/m/a1",
  },
  { type: "m-notifyresp-ind", transactionId: "n1", version: "1.2", status: "retrieved" },
  {
    type: "m-retrieve-conf",
    transactionId: "n1",
    version: "1.2",
    messageId: "a1@mmsc.example",
    date: AT,
    from: "+88210100000/TYPE=PLMN",
    to: ["+88210100001/TYPE=PLMN"],
    retrieveStatus: "ok",
    content: { contentType: "application/vnd.wap.multipart.mixed", parts: [TEXT] },
  },
  { type: "m-acknowledge-ind", transactionId: "n1", version: "1.2", reportAllowed: "yes" },
  {
    type: "m-delivery-ind",
    version: "1.2",
    messageId: "a1@mmsc.example",
    to: ["+88210100001/TYPE=PLMN"],
    date: AT,
    status: "retrieved",
  },
];
