/** A phone of the fleet that is managed answers a notification, and uses what was set in the session. */
import { type AccessPointEntry, insert } from "../../../device/settings.ts";
import { credentialHash } from "../../../wire/omadm/auth.ts";
import { decodeNotification, isNotificationFrom, sessionIdText } from "../../../wire/omadm/notification.ts";
import { goOnline } from "../fleet-phone.ts";
import type { FleetState, Phone } from "../fleet-state.ts";
import { type ManagedDevice, runSession } from "./client.ts";
import { accessPointsIn } from "./tree.ts";

/** Package 0: a session, where it is of the server that the account came from; one session for each of its numbers. */
export async function onNotification(fleet: FleetState, phone: Phone, body: Uint8Array): Promise<void> {
  const { managed } = phone;
  if (!managed) return;
  const { serverId, sessionId } = decodeNotification(body);
  const { server } = managed.account;
  const secret = {
    hash: credentialHash(server.name, server.secret),
    nonce: Buffer.from(server.nonce, "base64"),
  };
  if (serverId !== managed.account.serverId || !isNotificationFrom(body, secret)) return;
  const id = sessionIdText(sessionId);
  if (phone.lastSession === id) return;
  phone.lastSession = id;
  const isWhole = await runSession(managed, id, 1200);
  fleet.onEvent({ kind: "managed", phone: phone.status, isWhole });
  if (!isWhole) return;
  const entries = entriesOf(managed);
  if (entries.length === 0) return;
  phone.state = { ...phone.state, settings: insert(phone.state.settings, entries) };
  phone.status.settingsApplied++;
  await goOnline(fleet, phone, entries);
}

/** What its user makes of them: the one that calls itself so is for messages, any other for data. */
const entriesOf = ({ tree, model }: ManagedDevice): AccessPointEntry[] =>
  accessPointsIn(tree, model.kind).map(({ title, apn, user, password }) => ({
    apn,
    uses: [title.endsWith("MMS") ? "mms" : "internet"],
    authType: user === undefined ? "none" : "pap",
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    hosts: [],
    origin: "settings",
  }));
