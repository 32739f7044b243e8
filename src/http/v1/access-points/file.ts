/** The operator's access points as files for engineers: for a maker's system image, and for devices that a company manages. */
import Type from "typebox";
import type { AccessPoint, Use } from "../../../kernel/settings/access-point.ts";
import { TurnupError } from "../../../term/error.ts";
import {
  type AndroidApn,
  type AndroidApnType,
  encodeApnPolicy,
  encodeApnsConf,
} from "../../../wire/android/apn.ts";
import { asItIs, route } from "../../route.ts";
import { id, words } from "../../schema.ts";
import { writtenAccessPoint } from "../access-points.ts";

export const ACCESS_POINT_FILES = ["apns-conf", "android-management"] as const;
type FileForm = (typeof ACCESS_POINT_FILES)[number];
const FILES = {
  "apns-conf": { contentType: "application/xml", name: "apns-conf.xml", encode: encodeApnsConf },
  "android-management": { contentType: "application/json", name: "apn-policy.json", encode: encodeApnPolicy },
} as const;

export const accessPointFile = route({
  method: "GET",
  path: "/v1/access-points/file",
  summary:
    "Access points as a file for Android: a fragment of apns-conf.xml, or the apnPolicy of a managed device",
  description:
    "All of the operator's own, or the one that `id` names. Passwords are *** unless the role is admin.",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: ["access_point_not_found"],
  status: 200,
  query: { format: words(ACCESS_POINT_FILES), id: Type.Optional(id("Of one access point.")) },
  produces: ["application/xml", "application/json"],
  async handle({ accessPoints }, { query, caller }) {
    const all = await accessPoints.list(caller.operatorId);
    const file = fileOfAccessPoints(all, { ...query, seesSecrets: caller.role === "admin" });
    return asItIs(file.text, {
      "content-type": `${file.contentType}; charset=utf-8`,
      "content-disposition": `attachment; filename="${file.name}"`,
    });
  },
});

type Wish = { readonly format: FileForm; readonly id?: string | undefined; readonly seesSecrets: boolean };

/** @throws TurnupError `access_point_not_found` */
export function fileOfAccessPoints(
  all: readonly AccessPoint[],
  { format, id: wanted, seesSecrets }: Wish,
): { readonly text: string; readonly contentType: string; readonly name: string } {
  const points = wanted === undefined ? all : all.filter((point) => point.id === wanted);
  if (wanted !== undefined && points.length === 0)
    throw new TurnupError("access_point_not_found", "There is no such access point of the operator's own.", {
      nextStep: "GET /v1/access-points lists them.",
    });
  const { encode, ...file } = FILES[format];
  const shown = points.map((point) => ({
    ...point,
    password: writtenAccessPoint(point, seesSecrets).password,
  }));
  return { ...file, text: encode(shown.map(androidApnOf)) };
}

const PROTOCOLS = { ipv4: "IP", ipv6: "IPV6", ipv4v6: "IPV4V6" } as const;
const AUTH_TYPES = { none: "NONE", pap: "PAP", chap: "CHAP", pap_or_chap: "PAP_OR_CHAP" } as const;
/** A WAP gateway is data like any other to Android. */
const typeOf = (use: Use): AndroidApnType => (use === "internet" || use === "wap" ? "default" : use);

function androidApnOf(point: AccessPoint): AndroidApn {
  const { name, apn, user, password, mmsc, mmsProxy, mmsPort, proxy, port, criteria } = point;
  return {
    ...{ name, apn, user, password, mmsc, mmsProxy, mmsPort, proxy, port },
    types: [...new Set(point.uses.map(typeOf))],
    mcc: criteria.mcc,
    mnc: criteria.mnc,
    carrierId: criteria.carrierId ?? null,
    protocol: point.protocol && PROTOCOLS[point.protocol],
    authType: point.authType && AUTH_TYPES[point.authType],
    mvno: mvnoOf(criteria),
  };
}

/** Android has a place for one of them. */
function mvnoOf({ gid1, spn, imsiPrefix, iccidPrefix }: AccessPoint["criteria"]): AndroidApn["mvno"] {
  if (gid1 !== undefined) return { type: "gid", data: gid1 };
  if (spn !== undefined) return { type: "spn", data: spn };
  if (imsiPrefix !== undefined) return { type: "imsi", data: imsiPrefix };
  return iccidPrefix === undefined ? null : { type: "iccid", data: iccidPrefix };
}
