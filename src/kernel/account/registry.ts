/**
 * What the doors ask of storage beyond orders: tokens, an operator's decisions (policy, relations, access points,
 * overrides), the datasets in use, the audit, and which requests were made before. Every call names its operator; a
 * row of another operator does not exist. A change and its audit row are one transaction.
 */
import type { Acting } from "./person.ts";
import type { Role } from "./role.ts";
import type { TokenRecord } from "./token.ts";

/** Lists page by key, newest first unless told otherwise. */
export type RegistryPage = {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly order?: "asc" | "desc" | undefined;
};
/** One page; `nextCursor` is the `cursor` of the next, null on the last. */
export type RegistryRows<Row> = { readonly rows: readonly Row[]; readonly nextCursor: string | null };

/** A token as it is shown after its first day: never the token itself. */
export type TokenView = {
  readonly id: string;
  readonly role: Role;
  readonly label: string;
  readonly make: string | null;
  /** Whose it is; null where nobody said. */
  readonly person: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly lastUsedAt: string | null;
};

/** Who may call: tokens by their hash. Every change is audited under `actor`. */
export interface Tokens {
  /** By the SHA-256 of the token; the one question asked without an operator, since it answers which one. */
  findByHash(hash: Uint8Array): Promise<TokenRecord | undefined>;
  /** By its id, where a certificate stands for it: the configuration of this server says which. */
  findById(tokenId: string): Promise<TokenRecord | undefined>;
  /** Notes that tokens were used; lost notes do no harm. */
  touch(tokenIds: readonly string[], at: Date): Promise<void>;
  /** Revoked and expired ones too. */
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<TokenView>>;
  /** The same `id` again replaces the hash: the first answer never reached anybody. */
  create(
    operatorId: string,
    token: {
      readonly id: string;
      readonly hash: Uint8Array;
      readonly role: Role;
      readonly label: string;
      /** Of role maker: whose statement it reads. */
      readonly make?: string | null;
      readonly person?: string | null;
      readonly vouchedBy?: readonly string[];
      readonly expiresAt: Date | null;
    },
    actor: string,
  ): Promise<TokenView>;
  /** False where there is no such token. Revoking twice keeps the first time. */
  revoke(operatorId: string, tokenId: string, actor: string): Promise<boolean>;
}

/** One version of something that is edited: 0 is the value shipped with the product. */
export type Versioned<Body> = {
  readonly version: number;
  readonly body: Body;
  readonly madeBy: string | null;
  readonly madeAt: string | null;
  /** Why it was made; null where nobody said, and of what is shipped. */
  readonly reason: string | null;
};

/** What somebody wants to be the next version. */
type Proposal<Body> = {
  readonly expected: number;
  readonly body: Body;
  readonly askedBy: Acting;
  readonly reason: string | null;
  /** What it would change, in a sentence, and as it is shown to whoever decides; nothing that names a person. */
  readonly title: string;
  readonly summary: unknown;
  /** How long a second person has. */
  readonly hours: number;
};
/** The approval that it waits for. */
export type Proposed = { readonly approvalId: string; readonly expiresAt: string };

/** Who makes a version, and why. */
export type Author = { readonly actor: string; readonly reason?: string | null };

/** What an operator decided, whole, version by version. */
export interface Policies<Body> {
  /** The newest version; the shipped value, as version 0, where none was ever written. */
  current(operatorId: string): Promise<Versioned<Body>>;
  /** One version; 0 is the shipped value. Undefined: there is none of this number. */
  version(operatorId: string, version: number): Promise<Versioned<Body> | undefined>;
  /** Newest first, those before the version `before`; the shipped value is not among them. */
  versions(
    operatorId: string,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<readonly Versioned<Body>[]>;
  /**
   * Writes the next version; undefined where `expected` is no longer the current one.
   * @throws TurnupError `second_person_needed`: the version in force lets no one person change it
   */
  put(
    operatorId: string,
    expected: number,
    body: Body,
    by: string | Author,
  ): Promise<Versioned<Body> | undefined>;
  /**
   * Keeps what is to be the next version, and asks a second person for it; undefined as of `put`.
   * @throws TurnupError `person_unknown`
   */
  propose(operatorId: string, proposal: Proposal<Body>): Promise<Proposed | undefined>;
}

/** What an operator agreed with makers, by make without regard to letter case; `*` is every other make. */
export interface Relations<Body> {
  /** By make, in its alphabetical order. */
  list(operatorId: string): Promise<readonly Body[]>;
  /** The relation of just this make: `*` is found by `*` alone. */
  find(operatorId: string, make: string): Promise<Body | undefined>;
  /** Writes the relation of its make; `changed` where `expected` said no, and then nothing was written. */
  put(
    operatorId: string,
    relation: Body,
    expected: Expected<Body>,
    actor: string,
  ): Promise<"stored" | "changed">;
  /** False where there is none. */
  remove(operatorId: string, make: string, actor: string): Promise<boolean>;
}

/** Whether the row is still the one that the caller saw; asked inside the transaction that changes it. */
type Expected<Body> = (current: Body | undefined) => boolean;

/** An operator's own access points. Their passwords are sealed at rest and open here. */
export interface AccessPoints<Point> {
  /** Those in use: retired ones are not among them. */
  list(operatorId: string): Promise<readonly Point[]>;
  /** Undefined where there is none, or where it is retired. */
  find(operatorId: string, id: string): Promise<Point | undefined>;
  /** The same id again changes nothing. */
  add(operatorId: string, point: Point & { readonly id: string }, actor: string): Promise<void>;
  /** All of them or none. */
  addAll(
    operatorId: string,
    points: readonly (Point & { readonly id: string })[],
    actor: string,
  ): Promise<void>;
  /** Retires it; orders that used it keep what they sent. False where there is none. */
  retire(operatorId: string, id: string, actor: string): Promise<boolean>;
  /** Orders under way whose settings name this APN; no more than `most` are counted. */
  countOrders(operatorId: string, apn: string, most: number): Promise<number>;
}

/** The operator's own Wi-Fi networks. */
export interface WirelessNetworks<Network> {
  list(operatorId: string): Promise<readonly Network[]>;
  /** The same id again changes nothing. */
  add(operatorId: string, network: Network & { readonly id: string }, actor: string): Promise<void>;
  /** False where there is none. */
  retire(operatorId: string, id: string, actor: string): Promise<boolean>;
}

/** What an override is about, the narrowest first. */
export const OVERRIDE_SCOPES = ["imei", "tac", "model"] as const;
type OverrideScope = (typeof OVERRIDE_SCOPES)[number];

/** An operator's word about a device, a TAC or a model, above all data. */
export type Override = {
  readonly id: string;
  readonly scope: OverrideScope;
  /** TAC, or 'make/model' in lower case; for one IMEI the hex of its blind index, never the number. */
  readonly key: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly why: string;
  readonly madeBy: string;
  readonly madeAt: string;
};

/** An operator's word above the device data. Every change is audited. */
export interface Overrides {
  /** Those in force. */
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<Override>>;
  /** `key` is a full IMEI where the scope is `imei`; one override a scope and key, the later replaces. */
  put(
    operatorId: string,
    override: {
      readonly scope: OverrideScope;
      readonly key: string;
      readonly body: Readonly<Record<string, unknown>>;
      readonly why: string;
    },
    actor: string,
  ): Promise<Override>;
  /** From here on the data decide again. False where there is none. */
  remove(operatorId: string, id: string, actor: string): Promise<boolean>;
}

/** One loaded file of device data or access points: `refused` counts its rows that were not taken. */
export type DatasetView = {
  readonly id: string;
  readonly own: boolean;
  readonly kind: string;
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
  readonly licence: string;
  readonly rowCount: number;
  readonly refused: number;
  readonly loadedAt: string;
  readonly retiredAt: string | null;
};
/** What the server's data are, for whoever asks where a fact comes from. */
/** Models with their hardware, brought by an operator. */
export interface ModelImports {
  /** Takes the place of the list of this name; tells each row that was not taken, by its place from 0. */
  put(
    operatorId: string,
    list: { readonly name: string; readonly models: readonly unknown[]; readonly actor: string },
  ): Promise<{
    readonly imported: number;
    readonly refusedCount: number;
    readonly refused: readonly { readonly at: number; readonly reason: string }[];
  }>;
}

export interface Datasets {
  /** Shipped ones and the operator's own; retired ones only where asked for. */
  list(operatorId: string, filter: { readonly retired: boolean }): Promise<readonly DatasetView[]>;
}

/** One thing that somebody did: `subject` is an id, never a number of a person. */
export type AuditRow = {
  readonly id: string;
  readonly actor: string;
  readonly action: string;
  readonly subject: string;
  readonly detail: unknown;
  readonly at: string;
};
/** Who did what. A row is never changed. */
export interface AuditLog {
  /** Adds a row for something that changes nothing itself, such as a look at somebody's data. */
  record(
    operatorId: string,
    row: {
      readonly actor: string;
      readonly action: string;
      readonly subject: string;
      readonly detail?: Readonly<Record<string, unknown>>;
    },
  ): Promise<void>;
  /** Every row of the operator, by page. */
  list(operatorId: string, page: RegistryPage): Promise<RegistryRows<AuditRow>>;
}

/** A SIM's stay in a handset, for whoever looks at the handset. */
export type PairingView = {
  readonly subscriberId: string;
  readonly imsiMasked: string;
  readonly msisdnMasked: string | null;
  readonly homePlmn: string;
  readonly firstSeenAt: string;
  readonly lastSeenAt: string;
  readonly since: string;
  readonly isCurrent: boolean;
};
/** Which SIMs a handset was seen with. */
export interface Pairings {
  /** The stays of a handset, latest first, at most `limit`. Undefined: never seen on this operator's network. */
  ofDevice(
    operatorId: string,
    imei: string,
    limit: number,
  ): Promise<{ readonly deviceId: string; readonly pairings: readonly PairingView[] } | undefined>;
}

/**
 * Requests that must not happen twice. `begin` gives the id under which the work is to be done: a repeat after a crash
 * gets the same one, so that work which is once per id stays once.
 */
export interface Repeats {
  /** Claims the key. `running`: the first is under way; `other_request`: the key came with another fingerprint before. */
  begin(operatorId: string, request: RepeatKey & { readonly fingerprint: Uint8Array }): Promise<RepeatState>;
  /** Keeps the answer for repeats. */
  finish(operatorId: string, request: RepeatKey, answer: RepeatAnswer): Promise<void>;
  /** The work was refused: the key may be used again. */
  abandon(operatorId: string, request: RepeatKey): Promise<void>;
  /** Forgets requests that began before; answers how many, a bounded number at once. */
  forget(before: Date): Promise<number>;
}
/** An Idempotency-Key, within the route or form that it came to. */
export type RepeatKey = { readonly scope: string; readonly key: string };
/** `body` is what a repeat is answered with; it never holds a secret. */
export type RepeatAnswer = { readonly status: number; readonly body: unknown };
/** What is to be done with a request; `subjectId` names what its work makes. */
export type RepeatState =
  | { readonly state: "first"; readonly subjectId: string }
  | { readonly state: "running" }
  | { readonly state: "other_request" }
  | { readonly state: "done"; readonly answer: RepeatAnswer };
