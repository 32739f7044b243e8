/**
 * What a provisioning server tells a service provider of the device of a registered user (US 6,647,260, abstract), beside SCIM:
 *
 *   POST provisioning, below the user's own SCIM address   -> 204; the same id again changes nothing
 *
 * A provider without this address answers 404, 405 or 501 and is not told.
 */
import { list, object, oneOf, type Read, text } from "./shape.ts";

const word = text({ max: 120 });
const orNull =
  <Value>(read: Read<Value>): Read<Value | null> =>
  (value, path) =>
    value === null ? null : read(value, path);

export const readProvisioningNotice = object({
  id: text({ max: 64, pattern: /^[A-Za-z0-9._:-]+$/ }),
  event: oneOf(["provisioned", "changed", "removed"]),
  /** Ids of the operator's catalog; `settings` and `key` of what the network had done; `handset`, `number`, `account` of what changed by itself. */
  items: list(text({ max: 63, pattern: /^[a-z0-9][a-z0-9-]*$/ }), { max: 200 }),
  make: orNull(word),
  model: orNull(word),
  at: text({
    max: 40,
    pattern: /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/,
    wanted: "a time of RFC 3339 in UTC is wanted",
  }),
});
/** One word of what came about on a user's device. */
export type ProvisioningNotice = ReturnType<typeof readProvisioningNotice>;
