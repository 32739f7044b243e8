/**
 * Requests for commands that work beside a running server, or without one: the same desk that the server's doors use, over the
 * same rules. What follows from a request (messages, calls) is written down; a server takes it up.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { AuditLog } from "../../kernel/account/registry.ts";
import { seenFromHome } from "../../kernel/catalog/catalog-store.ts";
import { createConductor } from "../../kernel/conductor/conductor.ts";
import type { RequestDesk } from "../../kernel/order/request.ts";
import type { RequestReader } from "../../kernel/requested/request-reader.ts";
import { serverNameOf } from "../../proxy/servers.ts";
import { createCatalogStore } from "../../store/operator/catalog-store.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { createOrderStore } from "../../store/orders/order-store.ts";
import { createRequestReader } from "../../store/requests/request-reader.ts";
import { TurnupError } from "../../term/error.ts";
import { DEVICE_PATHS } from "../../wire/message/legs.ts";
import { dataFolderOf, readConfig } from "../config/config.ts";
import type { CommandContext } from "../terminal/command.ts";
import { landNameOf } from "./device-doors.ts";
import { knowledgeBeside } from "./knowledge-beside.ts";
import type { OperatorStore } from "./operator-store.ts";
import { ownIssuer } from "./own-issuer.ts";
import { type OpenPeers, openPeers } from "./peers.ts";

export const requestReaderOf = ({ store, clock }: OperatorStore): RequestReader =>
  createRequestReader(store.database, store.sealer, clock);

export const auditOf = ({ store, newId, clock }: OperatorStore): AuditLog =>
  createRegistry({ database: store.database, sealer: store.sealer, newId, clock }).audit;

/** Other provisioning servers as the configuration names them; a command sends nothing to them itself. */
export function peersOf(context: CommandContext): Pick<OpenPeers, "peers" | "hasServer"> {
  const { config } = readConfig({ file: context.option("config"), env: context.env });
  const { peers, hasServer, close } = openPeers(config);
  close();
  return { peers, hasServer };
}

export async function requestDeskOf(context: CommandContext, opened: OperatorStore): Promise<RequestDesk> {
  const { config } = readConfig({ file: context.option("config"), env: context.env });
  const { store, newId, clock } = opened;
  const { database, sealer } = store;
  const registry = createRegistry({ database, sealer, newId, clock });
  const knowledge = await knowledgeBeside(opened);
  const issuerFile = join(dataFolderOf(config), "own-issuer.pem");
  const { host, port } = config.http;
  const publicUrl = config.http.publicUrl ?? `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { land } = config;
  const landName = landNameOf(
    land,
    land.port === undefined ? undefined : `https://${land.host}:${land.port}`,
  );
  const conductor = createConductor({
    store: createOrderStore(database, sealer, registry.ownWords, { homePlmnOf: knowledge.homePlmnOf }),
    newId,
    clock,
    randomBytes: (octets) => Uint8Array.from(randomBytes(octets)),
    judge: knowledge.judge,
    countryOf: knowledge.countryOf,
    lackOf: knowledge.lackOf,
    chooseSettings: knowledge.chooseSettings,
    ownIssuer: await ownIssuer({ database, sealer, file: issuerFile }, config.issuer.name),
    catalog: seenFromHome(
      createCatalogStore({ database, newId, clock }),
      (origin) => serverNameOf(origin) === landName,
    ),
    peers: peersOf(context).peers,
    landName: () => landName,
    onWritten: () => undefined, // a server looks for messages and calls by itself
    linkUrl: (token) => `${publicUrl}/s/${token}`,
    managementUrl: (token) => `${publicUrl}/dm/${token}`,
    requestUrl: (reference) => `${publicUrl}${DEVICE_PATHS.order(reference)}`,
    offerUrl: (token) => `${publicUrl}/d/offers/${token}`,
    async fetchModule() {
      throw new TurnupError("content_unavailable", "A command fetches no modules.");
    },
  });
  return conductor.requests;
}
