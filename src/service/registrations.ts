/**
 * The registrations of a service, each with its user's data. The sum of their events: nothing but `apply` changes them, and a
 * restart replays what was journalled.
 */
import { foldCase } from "../term/fold-case.ts";
import type { ProvisioningNotice } from "../wire/message/provisioning-notice.ts";
import type { UserData } from "./user-data.ts";

/** Notices kept of one user. */
const TOLD_MAX = 50;

export type ServiceEvent =
  | ({
      readonly kind: "received";
      readonly id: string;
      readonly clientId: string;
      readonly externalId: string | null;
      readonly atMs: number;
    } & UserData)
  | ({
      readonly kind: "amended";
      readonly id: string;
      /** Where the client changed it. */
      readonly externalId?: string | null;
      readonly atMs: number;
    } & UserData)
  | {
      readonly kind: "registered";
      readonly id: string;
      readonly accessId: string;
      readonly passwordDigest: string;
      readonly atMs: number;
    }
  /** The operator's word of what others did on the user's device. */
  | ({ readonly kind: "told"; readonly noticeId: string } & ToldNotice & { readonly id: string })
  | { readonly kind: "removed"; readonly id: string };

type ToldNotice = Omit<ProvisioningNotice, "id">;

export type Registration = UserData & {
  readonly id: string;
  readonly clientId: string;
  /** The client's own id of the user, if it has one. */
  readonly externalId: string | null;
  readonly state: "needs_information" | "registered";
  readonly accessId: string | null;
  readonly passwordDigest: string | null;
  readonly createdMs: number;
  readonly changedMs: number;
  /** How often it was changed, and so the same after a restart. */
  readonly version: number;
  /** The latest, oldest first. */
  readonly told: readonly ProvisioningNotice[];
};

export type Registrations = {
  readonly byId: Map<string, Registration>;
  readonly idOfExternal: Map<string, string>;
  readonly idOfUserName: Map<string, string>;
};

export const noRegistrations = (): Registrations => ({
  byId: new Map(),
  idOfExternal: new Map(),
  idOfUserName: new Map(),
});

/** Takes an event into the state; the only place that changes it. */
export function apply(registrations: Registrations, event: ServiceEvent): void {
  const known = registrations.byId.get(event.id);
  switch (event.kind) {
    case "received": {
      const { kind: _kind, atMs, ...data } = event;
      const born = {
        accessId: null,
        passwordDigest: null,
        createdMs: atMs,
        changedMs: atMs,
        version: 1,
        told: [],
      } as const;
      return keep(registrations, { ...data, ...born, state: "needs_information" });
    }
    case "amended": {
      if (!known) throw new RangeError("an event about a registration that never came");
      forget(registrations, known);
      const { kind: _kind, atMs, ...data } = event;
      const version = known.version + 1;
      // Until it is registered anew: what was changed may be incomplete.
      return keep(registrations, { ...known, ...data, state: "needs_information", changedMs: atMs, version });
    }
    case "registered": {
      if (!known) throw new RangeError("an event about a registration that never came");
      const { accessId, passwordDigest, atMs } = event;
      return keep(registrations, {
        ...known,
        accessId,
        passwordDigest,
        state: "registered",
        changedMs: atMs,
        version: known.version + 1,
      });
    }
    case "told": {
      if (!known) throw new RangeError("an event about a registration that never came");
      const { kind: _kind, id: _id, noticeId, ...notice } = event;
      const told = [...known.told, { id: noticeId, ...notice }].slice(-TOLD_MAX);
      return keep(registrations, { ...known, told });
    }
    case "removed":
      if (!known) return;
      registrations.byId.delete(known.id);
      forget(registrations, known);
  }
}

/** Its names are free; one that another bears by now, since names once differed by more, stays the other's. */
function forget({ idOfExternal, idOfUserName }: Registrations, known: Registration): void {
  const { clientId, externalId } = known;
  const external = externalId === null ? undefined : externalKey({ clientId, externalId });
  if (external !== undefined && idOfExternal.get(external) === known.id) idOfExternal.delete(external);
  const name = nameKey(known.userName);
  if (idOfUserName.get(name) === known.id) idOfUserName.delete(name);
}

function keep(registrations: Registrations, registration: Registration): void {
  registrations.byId.set(registration.id, registration);
  const { clientId, externalId } = registration;
  if (externalId !== null)
    registrations.idOfExternal.set(externalKey({ clientId, externalId }), registration.id);
  registrations.idOfUserName.set(nameKey(registration.userName), registration.id);
}

/** A client sees its own users alone. */
export function find(registrations: Registrations, clientId: string, id: string): Registration | undefined {
  const known = registrations.byId.get(id);
  return known?.clientId === clientId ? known : undefined;
}

export function findExternal(
  registrations: Registrations,
  clientId: string,
  externalId: string,
): Registration | undefined {
  const id = registrations.idOfExternal.get(externalKey({ clientId, externalId }));
  return id === undefined ? undefined : registrations.byId.get(id);
}

/** By the name that the user has, in any case. */
export function findNamed(
  registrations: Registrations,
  clientId: string,
  userName: string,
): Registration | undefined {
  const id = registrations.idOfUserName.get(nameKey(userName));
  return id === undefined ? undefined : find(registrations, clientId, id);
}

export const externalKey = ({ clientId, externalId }: { clientId: string; externalId: string }): string =>
  `${clientId}\n${externalId}`;
/** SCIM's userName is not case exact (RFC 7643 clause 4.1.1). */
export const nameKey = (userName: string): string => foldCase(userName);
/** Whether the user has access: it was given, and the client did not close it. */
export const isLetIn = ({ passwordDigest, active }: Registration): boolean =>
  passwordDigest !== null && active !== false;
