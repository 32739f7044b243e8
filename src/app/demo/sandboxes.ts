/**
 * Other companies' machines for the device's road, on free ports of this machine: identity bureau, payment provider,
 * network elements, billing centre, mail server, and two service servers with trial certificates. They speak what the
 * real ones speak; the configuration that leads to them is given as an environment, so that it can cross to another
 * process, and read.
 */

import { randomBytes, X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pinOf } from "../../net/exchange/exchange.ts";
import type { NeededField } from "../../service/user-data.ts";
import { type BillingSimulator, startBilling } from "../../sim/billing/billing.ts";
import { type BureauSimulator, startBureau } from "../../sim/bureau/bureau.ts";
import { type ElementSimulator, startElements } from "../../sim/element/elements.ts";
import { type MailSimulator, startMailbox } from "../../sim/mail/mailbox.ts";
import { type PaymentSimulator, startPaymentProvider } from "../../sim/payment/provider.ts";
import { makePrivateFolder } from "../../store/journal/make-folder.ts";
import { assured } from "../../term/narrow.ts";
import { ensurePartyCertificates, type PartyCertificates } from "../certificates/certificates.ts";
import { readConfig } from "../config/config.ts";
import { type OfferedPolicy, type Service, startService } from "../party/service.ts";
import { opening } from "../server/closing-stack.ts";
import type { ConnectorConfig } from "../server/connectors.ts";

/** Under this name the service servers know this operator's server. */
const SANDBOX_CLIENT = "turnup";
const SECRET_OCTETS = 24;
const TIMEOUT_MS = 3_000;
const POLL_MS = 50;

const required = (name: string, kind: NeededField["kind"]): NeededField => ({ name, kind, required: true });
/** The service servers that the starter catalog names, each with what its items ask for. */
const SERVERS: Readonly<Record<string, Readonly<Record<string, OfferedPolicy>>>> = {
  office: {
    "/scim/v2": {
      accessUrl: "https://office.example/mail",
      fields: [required("mailbox", "text"), { name: "email", kind: "email", required: false }],
    },
    "/scim/v2/directory": {
      accessUrl: "https://office.example/directory",
      fields: [required("company", "text")],
    },
  },
  bank: {
    "/scim/v2": {
      accessUrl: "https://bank.example/alerts",
      fields: [required("accountNumber", "digits"), required("phonePin", "secret")],
    },
  },
};

export type Sandboxes = {
  /** `TURNUP_...` by name: what a process must be given to reach them. Secrets are among it. */
  readonly environment: Readonly<Record<string, string>>;
  /** The same, read: for `connectorsOf`. */
  readonly config: ConnectorConfig;
  /** What stands for the origins of the starter catalog: `https://office.example` -> where it is now. */
  readonly origins: Readonly<Record<string, string>>;
  readonly parties: {
    readonly bureau: BureauSimulator;
    readonly provider: PaymentSimulator;
    readonly elements: ElementSimulator;
    readonly billing: BillingSimulator;
    readonly mailbox: MailSimulator;
    readonly office: Service;
    readonly bank: Service;
  };
  close(): Promise<void>;
};
/** Habits that a story gives to a machine before it starts; all are well-behaved without. */
export type SandboxHabits = {
  readonly bureau?: Partial<Parameters<typeof startBureau>[0]>;
  readonly payment?: Partial<Parameters<typeof startPaymentProvider>[0]>;
  readonly elements?: Partial<Parameters<typeof startElements>[0]>;
  readonly billing?: Partial<Parameters<typeof startBilling>[0]>;
  readonly mail?: Parameters<typeof startMailbox>[0];
};

type SandboxOptions = {
  /** For certificates and journals; what is there already is used. */
  readonly folder: string;
  readonly now: Date;
  readonly habits?: SandboxHabits;
};

export const startSandboxes = (options: SandboxOptions): Promise<Sandboxes> =>
  opening(async (closing) => {
    const { folder, habits = {} } = options;
    makePrivateFolder(folder);
    const secrets = { bureau: fresh(), payment: fresh(), elements: fresh(), billing: fresh() };
    const bureau = closing.use(await startBureau({ ...habits.bureau, secret: secrets.bureau }));
    const provider = closing.use(await startPaymentProvider({ ...habits.payment, secret: secrets.payment }));
    const elements = closing.use(await startElements({ ...habits.elements, secret: secrets.elements }));
    const billing = closing.use(await startBilling({ ...habits.billing, secret: secrets.billing }));
    const mailbox = closing.use(await startMailbox(habits.mail));
    const office = await serverFor("office", options);
    closing.use(office.server);
    const bank = await serverFor("bank", options);
    closing.use(bank.server);
    const providersFile = join(folder, "providers.json");
    const providers = [...office.providers, ...bank.providers];
    await writeFile(providersFile, JSON.stringify(providers, null, 2), { mode: 0o600 });
    const environment = environmentOf(
      { bureau, provider, elements, billing, mailbox },
      secrets,
      providersFile,
    );
    return {
      environment,
      config: readConfig({ env: environment, folder }).config,
      origins: { "https://office.example": office.server.url, "https://bank.example": bank.server.url },
      parties: { bureau, provider, elements, billing, mailbox, office: office.server, bank: bank.server },
      close: () => closing.close(),
    };
  });

const fresh = (): string => randomBytes(SECRET_OCTETS).toString("base64url");

type Web = { readonly url: string };
function environmentOf(
  at: {
    readonly bureau: Web;
    readonly provider: Web;
    readonly elements: Web;
    readonly billing: Web;
    readonly mailbox: MailSimulator;
  },
  secrets: {
    readonly bureau: string;
    readonly payment: string;
    readonly elements: string;
    readonly billing: string;
  },
  providersFile: string,
): Record<string, string> {
  const sections = {
    IDENTITY: { URL: at.bureau.url, SECRET: secrets.bureau, ID_DOCUMENT_TYPE: "passport" },
    PAYMENT: { URL: at.provider.url, SECRET: secrets.payment },
    SERVICE: { PROVIDERS_FILE: providersFile },
    ELEMENT: { URL: at.elements.url, SECRET: secrets.elements, POLL_MS: String(POLL_MS) },
    BILLING: { URL: at.billing.url, SECRET: secrets.billing },
    MAIL: {
      HOST: at.mailbox.host,
      PORT: String(at.mailbox.port),
      TLS: "none",
      FROM: "notices@operator.example",
      FAX_GATEWAY: "fax.example",
    },
  };
  return Object.fromEntries(
    Object.entries(sections).flatMap(([section, settings]) =>
      Object.entries({ ...settings, TIMEOUT_MS: String(TIMEOUT_MS) }).map(([key, value]) => [
        `TURNUP_${section}_${key}`,
        value,
      ]),
    ),
  );
}

/** Each server has an authority, certificates and a journal of its own: nothing of one leg opens the other. */
async function serverFor(name: "office" | "bank", { folder, now }: { folder: string; now: Date }) {
  const place = join(folder, name);
  const certificates = await ensurePartyCertificates({
    folder: join(place, "certificates"),
    commonName: `Service server ${name}`,
    clientIds: [SANDBOX_CLIENT],
    now,
  });
  const server = await startService({
    port: 0,
    certificates,
    journalFolder: join(place, "journal"),
    clientIds: [SANDBOX_CLIENT],
    services: servicesOf(name),
  });
  return { server, providers: providersOf(name, server, certificates) };
}

const servicesOf = (name: string) => assured(SERVERS[name], "the sandboxes are made by these names");

/** As `service.providers_file` has them; files are relative to it. */
function providersOf(name: string, { url }: Service, certificates: PartyCertificates): object[] {
  const pin = pinOf(new X509Certificate(certificates.server.certificate));
  return Object.keys(servicesOf(name)).map((path) => ({
    uri: url + path,
    authorityFile: `${name}/certificates/authority.crt`,
    certificateFile: `${name}/certificates/client-${SANDBOX_CLIENT}.crt`,
    keyFile: `${name}/certificates/client-${SANDBOX_CLIENT}.key`,
    pins: [pin],
    access: {
      kind: "certificate_bound",
      tokenUrl: `${url}/oauth2/token`,
      clientId: SANDBOX_CLIENT,
      scope: "scim",
    },
  }));
}
