/**
 * What stands behind the land door: everything under /d/ but the proxy's own affairs (authentication, enrolment). Who
 * asks has been proved before: the proxy by its certificate, its signature and its land session, the device by the proxy.
 */
import type { Assurance } from "../../kernel/catalog/catalog-item.ts";
import type { Bearer } from "../../wire/message/legs.ts";
import type { Screen } from "../../wire/screen/screen.ts";

/** Who asks, as the proxy vouches for it. */
export type LandIdentity = {
  /** 15 digits; equal to the device's account at the proxy. */
  readonly imei: string;
  readonly imsi: string | null;
  readonly msisdn: string | null;
  readonly assurance: Assurance;
  readonly bearer: Bearer | null;
  /** The most octets that one answer may have on the air side; null where the proxy names no limit. */
  readonly airOctets: number | null;
  /** What the device said it can show: `markups=wml,xhtml; screen=16x4`. */
  readonly capability: string | null;
  /** Id of the proxy, from its certificate. */
  readonly proxy: string;
  /** BCP 47; the first of what the device accepts, else `en`. */
  readonly language: string;
};

export type LandRequest = {
  readonly method: "GET" | "POST";
  /** `/d/...`, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Of a POST, without parameters: application/x-www-form-urlencoded (always UTF-8) or application/json; else null. */
  readonly contentType: string | null;
  readonly body: Uint8Array;
  /** The client module's; a repeat must get the first answer again. */
  readonly idempotencyKey: string | null;
  /** Secures narrowband notices to the client module: 32 octets. */
  readonly noticeKey: Uint8Array | null;
  /** For answers and logs. */
  readonly requestId: string;
};

/** A screen in its neutral form, or content that the proxy passes on as it is. */
export type LandResponse =
  | {
      readonly kind: "screen";
      readonly status: number;
      readonly screen: Screen;
      /** What the screen says did not work, for machines. */
      readonly code?: string;
      /** What the model shows (`screen=176x220px; class=pager`), where this server knows it. */
      readonly display?: string;
    }
  | {
      readonly kind: "content";
      readonly status: number;
      readonly contentType: string;
      readonly body: Uint8Array;
    };

/** A TurnupError that it throws becomes a plain screen with the error's status. */
export type LandHandler = (identity: LandIdentity, request: LandRequest) => Promise<LandResponse>;
