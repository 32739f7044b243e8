/** Secrets inside answers: passwords, PINs and keys read `***` for whoever may not see them. */

export const REDACTED = "***";
/** Our own members, and the parms of OMA Client Provisioning and Nokia OTA that hold a credential. */
const SECRET_NAMES =
  /^(?:password|pass|secret|pin|token|key|proof|mac|PROXY-PW|PXAUTH-PW|PPGAUTH-PW|WPA-PRES-KEY-ASC|WPA-PRES-KEY-HEX|DATA|.*AUTHSECRET|.*AUTHDATA|.*CREDENTIAL.*|PASSWORD|CLIDIGEST|MAC)$/i;

/** A password as whoever asks may see it. */
export const passwordFor = (password: string | null, seesSecrets: boolean): string | null =>
  seesSecrets || password === null ? password : REDACTED;

export const isSecretName = (name: string): boolean => SECRET_NAMES.test(name);

/** The same value with every secret hidden; an absent one stays absent, so that one sees whether there is any. */
export function redactSecrets(value: unknown, seesSecrets: boolean): unknown {
  if (seesSecrets || typeof value !== "object" || value === null || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map((entry) => redactSecrets(entry, false));
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const hides = isSecretName(name) && typeof member === "string" && member !== "";
      return [name, hides ? REDACTED : redactSecrets(member, false)];
    }),
  );
}
