/**
 * A key's access points as ordinary settings (US 11,109,201 Fig. 1:140), for a model that runs no key and whose maker agreed to
 * it: the key is the handset's like any other, and stays here. The record says which access point came out of which key.
 */
import type { DeviceKey } from "../../wire/message/device-key-form.ts";
import { keyPoints, sendSettingsOf } from "../delivery/send.ts";
import type { SettingsRoad } from "../delivery/settings-forms.ts";
import { listed } from "../order/access-points.ts";
import type { ItemDraft } from "../order/order-draft.ts";
import type { Turn } from "../order/turn.ts";
import type { SettingsValues } from "../payload/settings-values.ts";

type KeyInSettings = { readonly item: ItemDraft; readonly key: DeviceKey };

/** One message for both; each item is proved for itself, by traffic on its own access points. */
export function sendInSettings(
  turn: Turn,
  { item, key }: KeyInSettings,
  settings: ItemDraft,
  { values, road }: { readonly values: SettingsValues; readonly road: SettingsRoad },
): void {
  const named = new Set(values.points.map(({ apn }) => apn.toLowerCase()));
  const fresh = key.accessPoints.filter(({ apn }) => !named.has(apn.toLowerCase()));
  noteOrigin(turn, { item, key });
  const points = [...values.points, ...keyPoints(fresh)];
  const keyApns = fresh.map(({ apn }) => apn);
  sendSettingsOf(turn, [settings, item], { ...values, points, keyApns }, road);
}

/** The ordinary settings went before: a key that was asked for anew. */
export function sendAlone(turn: Turn, { item, key }: KeyInSettings, road: SettingsRoad): void {
  noteOrigin(turn, { item, key });
  const keyApns = key.accessPoints.map(({ apn }) => apn);
  const values = { name: turn.terms.operatorName, points: keyPoints(key.accessPoints), keyApns };
  sendSettingsOf(turn, [item], values, road);
}

function noteOrigin({ scribe, order }: Turn, { item, key }: KeyInSettings): void {
  const apns = key.accessPoints.map(({ apn }) => apn);
  scribe.note(order, {
    kind: "key_in_settings",
    itemId: item.id,
    reason: `this model runs no key, and its maker agreed: ${listed(apns)} of the key of ${key.issuer} go${apns.length === 1 ? "es" : ""} as ordinary settings`,
    detail: { keyId: item.keyId, issuer: key.issuer, accessPoints: apns },
  });
}
