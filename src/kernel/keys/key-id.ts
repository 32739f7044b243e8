/** A key id is 16 octets; rows and logs show it as a UUID. */
export function uuidOf(keyId: Uint8Array): string {
  const hex = Buffer.from(keyId).toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
