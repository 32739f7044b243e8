/**
 * What goes to a device by SMS before it opens a management session: the account, as an OMA CP document with an APPLICATION w7
 * (OMA-TS-DM_Bootstrap 1.2.1 §5.2, the profile that clients of all makers read), and package 0, which asks for the session.
 */
import type { Characteristic, Parm } from "../../wire/omacp/document.ts";
import {
  DM_APPLICATION_ID,
  encodeNotification,
  NOTIFICATION_CONTENT_TYPE,
} from "../../wire/omadm/notification.ts";
import { encodePush } from "../../wire/wsp/push.ts";
import { type Authentication, composeProvisioning } from "../payload/compose.ts";
import { settingsDocument } from "../payload/settings-document.ts";
import type { SettingsPoint, SettingsValues } from "../payload/settings-values.ts";
import { type ManagementAccount, type NewManagementAccount, octetsOf } from "./account.ts";

const DEFAULT_PORTS: Readonly<Record<string, string>> = { "https:": "443", "http:": "80" };

const parm = (name: string, value: string): Parm => ({ name, value });
const group = (
  type: string,
  parms: readonly Parm[],
  characteristics: readonly Characteristic[] = [],
): Characteristic => ({ type, parms, characteristics });

/**
 * A WSP push with the account and the access point over which it reaches the server, signed by OMA CP's SEC and MAC.
 * @param url where the device is to open its sessions
 */
export function composeBootstrap(
  values: SettingsValues,
  { account, devicePassword, serverPassword }: NewManagementAccount,
  { url, authentication }: { readonly url: string; readonly authentication: Authentication },
): Uint8Array {
  const road = roadOf(values);
  const { protocol, port } = new URL(url);
  const auth = (level: string, name: string, secret: string, nonce: string): Characteristic =>
    group("APPAUTH", [
      parm("AAUTHLEVEL", level),
      parm("AAUTHTYPE", "DIGEST"),
      parm("AAUTHNAME", name),
      parm("AAUTHSECRET", secret),
      parm("AAUTHDATA", nonce),
    ]);
  return composeProvisioning(
    {
      version: "1.1",
      characteristics: [
        ...road,
        group(
          "APPLICATION",
          [
            parm("APPID", "w7"),
            parm("PROVIDER-ID", account.serverId),
            parm("NAME", values.name),
            ...napIdsIn(road).map((id) => parm("TO-NAPID", id)),
          ],
          [
            group(
              "APPADDR",
              [parm("ADDR", url)],
              [group("PORT", [parm("PORTNBR", port === "" ? (DEFAULT_PORTS[protocol] ?? "443") : port)])],
            ),
            auth("APPSRV", account.user, devicePassword, account.deviceNonce),
            auth("CLIENT", account.serverId, serverPassword, account.serverNonce),
          ],
        ),
      ],
    },
    authentication,
  );
}

/** The access point of data alone, and not as one for the browser: what is to be set comes in the session. */
function roadOf({ name, points }: SettingsValues): Characteristic[] {
  const point = dataPointOf(points);
  if (!point) return [group("BOOTSTRAP", [parm("NAME", name)])];
  return settingsDocument({ name, points: [point] })
    .characteristics.filter(({ type }) => type === "BOOTSTRAP" || type === "NAPDEF")
    .map((one) => ({ ...one, parms: one.parms.filter((each) => each.name !== "INTERNET") }));
}

const dataPointOf = (points: readonly SettingsPoint[]): SettingsPoint | undefined =>
  points.find(({ use }) => use === "internet") ?? points.find(({ use }) => use === "wap") ?? points[0];

const napIdsIn = (characteristics: readonly Characteristic[]): string[] =>
  characteristics.flatMap(({ type, parms }) =>
    type === "NAPDEF" ? parms.flatMap(({ name, value }) => (name === "NAPID" && value ? [value] : [])) : [],
  );

/** A WSP push with package 0: its digest is by the server's password and nonce of this device. */
export const composeNotification = (account: ManagementAccount, sessionId: number): Uint8Array =>
  encodePush({
    transactionId: 1,
    contentType: NOTIFICATION_CONTENT_TYPE,
    applicationId: DM_APPLICATION_ID,
    body: encodeNotification(
      { uiMode: "background", initiator: "server", sessionId, serverId: account.serverId },
      { hash: account.serverHash, nonce: octetsOf(account.serverNonce) },
    ),
  });

/**
 * A number of two equal octets: clients of little-endian machines that swap them name the same session.
 * @param octet of chance
 */
export const sessionNumberOf = (octet: number): number => ((octet % 255) + 1) * 0x0101;
