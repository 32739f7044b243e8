/**
 * What a server would refuse of a configuration, all of it at once and before anything is opened: `turnup config` prints it, and
 * `turnup serve` starts on nothing that it finds.
 */
import { accessSync, constants, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Database } from "../../store/database/database.ts";
import { listOperators } from "../../store/operator/operators.ts";
import { checkSealKeyFile, parseSealKeys } from "../../store/seal/seal-key.ts";
import { TurnupError } from "../../term/error.ts";
import { messageOf } from "../../term/narrow.ts";
import { profileSignerOf } from "../certificates/profile-signer.ts";
import { readCamaraPlace } from "../config/camara-config.ts";
import { type Config, type ConfigSource, dataFolderOf } from "../config/config.ts";
import { checkApart } from "../config/door-port.ts";
import { readEirPlace } from "../config/eir-config.ts";
import { readEquipmentPlace } from "../config/equipment-config.ts";
import { readGsupPlace } from "../config/gsup-config.ts";
import { httpOptionsOf } from "../config/http-options.ts";
import {
  hasLandFiles,
  readAccountsFile,
  readGatewaysFile,
  readLandSettings,
  readPolicyFile,
} from "../config/leg-config.ts";
import { readPartnerPlace } from "../config/partner-config.ts";
import { readRadiusPlace } from "../config/radius-config.ts";
import { readS13Place } from "../config/s13-config.ts";
import { messageCentresOf } from "../config/settings.ts";
import { landHostsOf, landPortOf, manageDoorOf } from "../party/configured-proxy.ts";
import { reportPatternOf } from "./applet-reports.ts";
import { connectorsOf } from "./connectors.ts";
import { readEquipmentLists } from "./equipment-lists.ts";
import { makerCredentialsOf } from "./maker-ports.ts";
import { openPeers } from "./peers.ts";
import { checkRevocation } from "./revocation.ts";
import { smscOptions, smscSection } from "./smsc-options.ts";
import { voicePlatformsIn } from "./voice-platforms.ts";

/** How the configuration is to be run: the server alone, or in one process with a proxy. */
type Way = { readonly withProxy: boolean };

/** @throws TurnupError what is wrong, alone, or `config_invalid` with all of it */
export async function checkConfig(
  config: Config,
  env: ConfigSource["env"],
  way: Way = { withProxy: false },
): Promise<void> {
  const found: TurnupError[] = [];
  const centres = messageCentresOf(config).map(
    (centre): Check =>
      () =>
        smscOptions(centre),
  );
  for (const check of [...CHECKS, ...(way.withProxy ? BOTH_CHECKS : ALONE_CHECKS), ...centres]) {
    try {
      await check(config, env);
    } catch (error) {
      if (!(error instanceof TurnupError)) throw error;
      if (!found.some(({ message }) => message === error.message)) found.push(error);
    }
  }
  const [only] = found;
  if (only && found.length === 1) throw only;
  if (found.length > 0)
    throw new TurnupError(
      "config_invalid",
      `The configuration is wrong:${found.map(({ message }) => `\n  ${message.replace(/\.$/, "")}`).join("")}.`,
      { nextStep: "See docs/operations.md, or `turnup config` for what is in force." },
    );
}

type Check = (config: Config, env: ConfigSource["env"]) => unknown;
const CHECKS: readonly Check[] = [
  checkOwnFolder,
  httpOptionsOf,
  ({ applet }) => reportPatternOf(applet.textPattern),
  ({ portal }) => voicePlatformsIn(portal),
  ({ portal }) => portal.gatewaysFile && readGatewaysFile(portal.gatewaysFile),
  makerCredentialsOf,
  checkConnectors,
  (config) => openPeers(config).close(),
  (config) => manageDoorOf(config.proxy),
  (config) =>
    config.proxy.policyFile &&
    readPolicyFile(config.proxy.policyFile, { besideServer: !hasLandFiles(config) }),
  ({ proxy }) => proxy.accountsFile && readAccountsFile(proxy.accountsFile),
  readPartnerPlace,
  readRadiusPlace,
  readS13Place,
  readGsupPlace,
  readEirPlace,
  readCamaraPlace,
  async (config: Config) => readEquipmentLists(await readEquipmentPlace(config)),
  (config) => profileSignerOf(config, () => new Date()),
  async (config, env) => checkRevocation(config.tls, await authoritiesOf(config, env)),
];

const ALONE_CHECKS: readonly Check[] = [readLandSettings, (config) => checkApart(doorsOf(config))];
/** Server and proxy in one process make for themselves what stands between them, where no file is named. */
const BOTH_CHECKS: readonly Check[] = [
  (config) => (hasLandFiles(config) ? readLandSettings(config) : landHostsOf(config)),
  ({ proxy }) => proxy.folder && checkFolder("proxy.folder", proxy.folder),
  (config) =>
    checkApart([
      ...doorsOf({ ...config, land: { ...config.land, port: landPortOf(config) } }),
      ...proxyDoorsOf(config),
    ]),
];

type Doors = Parameters<typeof checkApart>[0];
/** Each by the setting of its port; the one of RADIUS listens by UDP. */
const doorsOf = ({ http, partner, radius, s13, gsup, eir, land }: Config): Doors => [
  ...Object.entries({ http, partner, s13, gsup, eir, land }).map(([section, { host, port }]) => ({
    name: `${section}.port`,
    host,
    port,
  })),
  { name: "radius.tls_port", host: radius.host, port: radius.tlsPort },
];
const proxyDoorsOf = ({ proxy }: Config): Doors => [
  { name: "proxy.port", host: proxy.host, port: proxy.port },
  { name: "proxy.gateway_port", host: proxy.gatewayHost, port: proxy.gatewayPort },
  { name: "proxy.manage_port", host: proxy.manageHost, port: proxy.managePort },
];

/** PEM of every authority that a file names and that callers' certificates are believed by. */
async function authoritiesOf(config: Config, env: ConfigSource["env"]): Promise<string[]> {
  const land = hasLandFiles(config) ? await readLandSettings(config) : undefined;
  const { policyFile } = config.proxy;
  const policy = policyFile && (await readPolicyFile(policyFile, { besideServer: !hasLandFiles(config) }));
  const partner = await readPartnerPlace(config);
  const radius = await readRadiusPlace(config);
  return [
    ...(radius?.tls ? [radius.tls.files.authorities].flat() : []),
    ...(partner ? [partner.tls.authorities].flat() : []),
    ...(land ? [land.certificates.proxyAuthority] : []),
    ...((policy || undefined)?.factoryAuthorities ?? []),
    ...madeAuthorities(config.proxy.folder ?? join(dataFolderOf(config, env), "proxy")),
  ];
}

/** Those that the proxy of this process made for its devices, once it did. */
const madeAuthorities = (folder: string): string[] =>
  ["enrolment", "factory"]
    .map((room) => join(folder, "certificates", room, "authority.crt"))
    .filter((file) => existsSync(file))
    .map((file) => readFileSync(file, "utf8"));

/** There, or to be made: who runs this may write where it stands. */
function checkFolder(name: "data.folder" | "proxy.folder", folder: string): void {
  let stands = folder;
  while (!existsSync(stands) && dirname(stands) !== stands) stands = dirname(stands);
  let fact = "is no folder";
  try {
    if (statSync(stands).isDirectory()) {
      accessSync(stands, constants.W_OK | constants.X_OK);
      return;
    }
  } catch (error) {
    fact = `cannot be written to: ${messageOf(error)}`;
  }
  throw new TurnupError(
    "data_folder_unusable",
    `The ${name === "data.folder" ? "data folder" : "proxy's folder"} ${folder} cannot be used: ${stands} ${fact}.`,
    {
      nextStep: `Give its folder to the user who runs Turnup, or name another: ${name}.`,
    },
  );
}

function checkOwnFolder(config: Config, env: ConfigSource["env"]): void {
  const folder = dataFolderOf(config, env);
  checkFolder("data.folder", folder);
  if (config.seal.key) parseSealKeys(config.seal.key.reveal());
  else checkSealKeyFile(join(folder, "seal.key"));
}

/** The file of billing is made when it is first opened: here it is only looked whether it could be. */
async function checkConnectors(config: Config): Promise<void> {
  const { csvFile } = config.billing;
  const billing =
    config.billing.url === undefined ? { ...config.billing, csvFile: undefined } : config.billing;
  await (await connectorsOf({ ...config, billing })).close();
  if (csvFile === undefined) return;
  try {
    accessSync(existsSync(csvFile) ? csvFile : dirname(csvFile), constants.W_OK);
  } catch (error) {
    throw new TurnupError(
      "config_invalid",
      `billing.csv_file: ${csvFile} cannot be used: ${messageOf(error)}.`,
      {
        cause: error,
        nextStep: "Name a file in a folder that the user who runs Turnup may write to.",
      },
    );
  }
}

/**
 * The operators that settings name are there. A database without any is at its beginning: then nothing is refused.
 * @throws TurnupError `config_invalid` with the setting and what there is
 */
export async function checkOperators(database: Database, config: Config): Promise<void> {
  const slugs = (await listOperators(database)).map(({ slug }) => slug);
  if (slugs.length === 0) return;
  for (const [name, slug] of await operatorsIn(config)) {
    if (slugs.includes(slug)) continue;
    const known = slugs.slice(0, SLUGS_TOLD_MAX).join(", ");
    throw new TurnupError("config_invalid", `${name} = ${slug}: there is no operator of this short name.`, {
      nextStep: `There ${slugs.length === 1 ? "is" : "are"} ${known}${slugs.length > SLUGS_TOLD_MAX ? ", ..." : ""}.`,
    });
  }
}
const SLUGS_TOLD_MAX = 20;

/** Settings that name an operator, each with its short name. */
async function operatorsIn(config: Config): Promise<(readonly [string, string])[]> {
  const { portal, applet } = config;
  const centres = messageCentresOf(config).flatMap((centre) =>
    (centre.operators ?? []).map((slug) => [`${smscSection(centre)}.operators`, slug] as const),
  );
  const land = hasLandFiles(config) ? await readLandSettings(config) : undefined;
  const proxies = (land?.proxies ?? []).flatMap(({ id, operator }) =>
    operator === undefined ? [] : [[`land.proxies_file: operator of ${id}`, operator] as const],
  );
  const gateways = ((await readRadiusPlace(config))?.clients ?? []).flatMap(({ name, operator }) =>
    operator === undefined ? [] : [[`radius.clients_file: operator of ${name}`, operator] as const],
  );
  const peers = ((await readS13Place(config))?.peers ?? []).flatMap(({ name, operator }) =>
    operator === undefined ? [] : [[`s13.peers_file: operator of ${name}`, operator] as const],
  );
  const functions = ((await readEirPlace(config))?.clients ?? []).flatMap(({ name, operator }) =>
    operator === undefined ? [] : [[`eir.clients_file: operator of ${name}`, operator] as const],
  );
  const switches = ((await readGsupPlace(config))?.clients ?? []).flatMap(({ name, operator }) =>
    operator === undefined ? [] : [[`gsup.clients_file: operator of ${name}`, operator] as const],
  );
  const exposed = ((await readCamaraPlace(config))?.clients ?? []).flatMap(({ clientId, operator }) =>
    operator === undefined ? [] : [[`camara.clients_file: operator of ${clientId}`, operator] as const],
  );
  const lists = (await readEquipmentPlace(config)).lists.flatMap(({ name, operator }) =>
    operator === undefined ? [] : [[`equipment.lists_file: operator of ${name}`, operator] as const],
  );
  const single = { "portal.operator": portal.operator, "applet.operator": applet.operator };
  return [
    ...Object.entries(single).flatMap(([name, slug]) => (slug === undefined ? [] : [[name, slug] as const])),
    ...centres,
    ...proxies,
    ...gateways,
    ...peers,
    ...functions,
    ...switches,
    ...exposed,
    ...lists,
  ];
}

export const namesOperators = async (config: Config): Promise<boolean> =>
  (await operatorsIn(config)).length > 0;
