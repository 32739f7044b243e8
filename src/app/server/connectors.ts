/**
 * The connectors that the configuration names: ports to other companies' machines, or undefined where none is named.
 * They serve all operators of this server. Whatever is wrong with their files is told before anything starts.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type {
  BillingCentre,
  IdentityBureau,
  MailPort,
  NetworkElementPort,
  PaymentProvider,
} from "../../kernel/calls/connectors.ts";
import type { NetworkElement } from "../../kernel/catalog/catalog-item.ts";
import type { Connectors } from "../../kernel/conductor/request-calls.ts";
import { billingCentre } from "../../net/billing/centre.ts";
import { csvBilling } from "../../net/billing/csv.ts";
import { tmf640Element } from "../../net/element/tmf640.ts";
import { clientCredentials, fixedToken } from "../../net/exchange/token.ts";
import { ID_DOCUMENT_TYPES, kycMatchBureau } from "../../net/identity/kyc-match.ts";
import { smtpMail } from "../../net/mail/smtp.ts";
import { paymentProvider } from "../../net/payment/payment-provider.ts";
import {
  type ServiceDirectory,
  type ServiceProvider,
  serviceDirectory,
} from "../../net/service/directory.ts";
import { TurnupError } from "../../term/error.ts";
import { codeOf, messageOf } from "../../term/narrow.ts";
import type { Secret } from "../../term/secret.ts";
import { list, object, oneOf, optional, ShapeError, text } from "../../wire/message/shape.ts";
import type { Config } from "../config/config.ts";
import { checkAuthority, checkIdentity } from "../config/pem.ts";

const MAX_FILE_OCTETS = 1_048_576;

/** The sections of the configuration that name other companies' machines. */
export type ConnectorConfig = Pick<
  Config,
  "identity" | "payment" | "service" | "element" | "billing" | "mail"
>;
type Closing = { close(): void | Promise<void> };

type OpenConnectors = {
  readonly connectors: Connectors;
  close(): Promise<void>;
};

/** @throws TurnupError `config_invalid`: a secret, a file or a URL that a named machine needs is not there */
export async function connectorsOf(config: ConnectorConfig): Promise<OpenConnectors> {
  const opened: Closing[] = [];
  const keep = <Port extends Closing>(port: Port | undefined): Port | undefined => {
    if (port) opened.push(port);
    return port;
  };
  const close = async (): Promise<void> => void (await Promise.all(opened.map((one) => one.close())));
  try {
    const bureau: IdentityBureau | undefined = keep(bureauOf(config));
    const provider: PaymentProvider | undefined = keep(paymentOf(config));
    const directory: ServiceDirectory | undefined = keep(directoryOf(config));
    const element = elementsOf(config, keep);
    const billing: BillingCentre | undefined = keep(await billingOf(config));
    const mail: MailPort | undefined = keep(mailOf(config));
    const connectors: Connectors = {
      bureauOf: () => bureau,
      paymentProviderOf: () => provider,
      serviceAt: (_operatorId, uri) => directory?.serverOf(uri),
      elementOf: (_operatorId, name) => element(name),
      billingOf: () => billing,
      mailOf: () => mail,
    };
    return { connectors, close };
  } catch (error) {
    await close();
    if (error instanceof RangeError) throw invalid(error.message);
    throw error;
  }
}

function bureauOf({ identity }: ConnectorConfig) {
  if (!identity.url) return undefined;
  const { url, tokenUrl, clientId, scope, timeoutMs } = identity;
  const secret = needed(identity.secret, "identity.secret");
  const trust = trustOf(identity.authorityFile, "identity.authority_file");
  return kycMatchBureau({
    url,
    timeoutMs,
    ...trust,
    ...documentType(identity.idDocumentType),
    tokens: tokenUrl
      ? clientCredentials({ tokenUrl, clientId, clientSecret: secret, scope, timeoutMs, ...trust })
      : fixedToken(secret),
  });
}

function documentType(given: string | undefined) {
  const idDocumentType = ID_DOCUMENT_TYPES.find((known) => known === given);
  return idDocumentType ? { idDocumentType } : {};
}

function paymentOf({ payment }: ConnectorConfig) {
  if (!payment.url) return undefined;
  return paymentProvider({
    url: payment.url,
    secret: needed(payment.secret, "payment.secret"),
    timeoutMs: payment.timeoutMs,
    cardsOnly: payment.cardsOnly,
    ...trustOf(payment.authorityFile, "payment.authority_file"),
  });
}

/** One client a URL: elements at one door share its connections. */
function elementsOf(
  { element }: ConnectorConfig,
  keep: (port: NetworkElementPort & Closing) => unknown,
): (name: NetworkElement) => NetworkElementPort | undefined {
  const own: Readonly<Record<NetworkElement, string | undefined>> = {
    "billing-plan": element.billingPlanUrl,
    "voice-mail": element.voiceMailUrl,
    forwarding: element.forwardingUrl,
    "e-mail": element.eMailUrl,
    "hlr-profile": element.hlrProfileUrl,
  };
  const { timeoutMs, pollMs, polls } = element;
  const shared = {
    timeoutMs,
    pollMs,
    polls,
    ...(element.secret ? { secret: element.secret.reveal() } : {}),
    ...trustOf(element.authorityFile, "element.authority_file"),
  };
  const clients = new Map<string, NetworkElementPort>();
  for (const url of new Set([element.url, ...Object.values(own)])) {
    if (!url) continue;
    const client = tmf640Element({ url, ...shared });
    keep(client);
    clients.set(url, client);
  }
  return (name) => clients.get(own[name] ?? element.url ?? "");
}

async function billingOf({ billing }: ConnectorConfig) {
  if (billing.url && billing.csvFile) throw invalid("billing.url and billing.csv_file: give one of them.");
  if (billing.csvFile)
    return csvBilling({ file: billing.csvFile }).catch((error: NodeJS.ErrnoException) => {
      throw invalid(`billing.csv_file: ${billing.csvFile} cannot be used: ${error.code ?? error.message}.`);
    });
  if (!billing.url) return undefined;
  return billingCentre({
    url: billing.url,
    secret: needed(billing.secret, "billing.secret"),
    timeoutMs: billing.timeoutMs,
    ...trustOf(billing.authorityFile, "billing.authority_file"),
  });
}

function mailOf({ mail }: ConnectorConfig) {
  if (!mail.host) return undefined;
  if (!mail.from) throw invalid("mail.from is missing: mail needs a sender.");
  const { host, port, tls, from, faxGateway, timeoutMs } = mail;
  return smtpMail({
    host,
    port,
    tls,
    from,
    timeoutMs,
    ...(faxGateway ? { faxGateway } : {}),
    ...(mail.user ? { user: mail.user, password: needed(mail.password, "mail.password") } : {}),
    ...trustOf(mail.authorityFile, "mail.authority_file"),
  });
}

/** The file of `service.providers_file`; `docs/operations.md` describes it. Its paths are relative to it. */
const https = text({ max: 500, pattern: /^https:\/\/\S+$/, wanted: "an https URL is wanted" });
const path = text({ max: 1_000 });
const readProviders = list(
  object({
    uri: https,
    authorityFile: optional(path),
    certificateFile: optional(path),
    keyFile: optional(path),
    /** SHA-256 of the server's public key (SPKI), in base64. */
    pins: optional(list(text({ min: 44, max: 44, pattern: /^[A-Za-z0-9+/]{43}=$/ }), { min: 1, max: 8 })),
    access: object({
      kind: oneOf(["certificate_bound", "bearer"]),
      tokenUrl: optional(https),
      clientId: optional(text({ max: 100 })),
      scope: optional(text({ max: 200 })),
      tokenFile: optional(path),
    }),
  }),
  { max: 1_000 },
);
type Provider = ReturnType<typeof readProviders>[number];

function directoryOf({ service }: ConnectorConfig): ServiceDirectory | undefined {
  const { providersFile, timeoutMs } = service;
  if (!providersFile) return undefined;
  const folder = dirname(providersFile);
  return serviceDirectory(
    providersIn(providersFile).map((provider) => providerOf(provider, folder)),
    timeoutMs,
  );
}

function providersIn(file: string): Provider[] {
  try {
    return readProviders(JSON.parse(contentOf(file, "service.providers_file")), "");
  } catch (error) {
    if (error instanceof ShapeError || error instanceof SyntaxError)
      throw invalid(
        `service.providers_file = ${file}: ${error instanceof ShapeError ? error.message : "it is no JSON"}.`,
      );
    throw error;
  }
}

function providerOf(
  { uri, authorityFile, certificateFile, keyFile, pins, access }: Provider,
  folder: string,
): ServiceProvider {
  const read = (file: string) => contentOf(resolve(folder, file), `service.providers_file, ${uri}`);
  if ((certificateFile === undefined) !== (keyFile === undefined))
    throw invalid(`service.providers_file, ${uri}: a certificate and its key go together.`);
  const identity =
    certificateFile && keyFile ? { certificate: read(certificateFile), key: read(keyFile) } : undefined;
  const authority = authorityFile && read(authorityFile);
  if (identity)
    checkIdentity(identity, {
      certificate: `service.providers_file, ${uri}: certificateFile`,
      key: `service.providers_file, ${uri}: keyFile`,
    });
  if (authority) checkAuthority(authority, `service.providers_file, ${uri}: authorityFile`);
  return {
    uri,
    ...(authority ? { authority } : {}),
    ...(identity ? { identity } : {}),
    ...(pins ? { pins } : {}),
    access: accessOf(uri, access, read),
  };
}

function accessOf(
  uri: string,
  { kind, tokenUrl, clientId, scope, tokenFile }: Provider["access"],
  read: (file: string) => string,
): ServiceProvider["access"] {
  if (kind === "bearer") {
    if (!tokenFile) throw invalid(`service.providers_file, ${uri}: access.tokenFile is missing.`);
    return { kind, token: read(tokenFile).trim() };
  }
  if (!tokenUrl || !clientId)
    throw invalid(`service.providers_file, ${uri}: access.tokenUrl and access.clientId are wanted.`);
  return { kind, tokenUrl, clientId, ...(scope ? { scope } : {}) };
}

function needed(secret: Secret | undefined, name: string): string {
  if (!secret) throw invalid(`${name} is missing: the machine that is named beside it asks for it.`);
  return secret.reveal();
}

function trustOf(file: string | undefined, name: string): { readonly authority?: string } {
  if (file === undefined) return {};
  const authority = contentOf(file, name);
  checkAuthority(authority, name);
  return { authority };
}

function contentOf(file: string, name: string): string {
  try {
    if (statSync(file).size > MAX_FILE_OCTETS) throw new Error("it is too long");
    return readFileSync(file, "utf8");
  } catch (error) {
    throw invalid(`${name}: ${file} cannot be read: ${codeOf(error) ?? messageOf(error)}.`);
  }
}

const invalid = (fact: string): TurnupError =>
  new TurnupError("config_invalid", fact, {
    nextStep: "See docs/operations.md, or `turnup config` for what is in force.",
  });
