/** The operator's own Wi-Fi networks. The key stands sealed beside the rest, and in nothing else. */
import type { WirelessNetworks } from "../../kernel/account/registry.ts";
import type { WirelessNetwork } from "../../kernel/settings/wireless-network.ts";
import { putInForce } from "../node/versions.ts";
import { wakeWaiting } from "../orders/wake.ts";
import type { Note, RegistryDeps } from "./audited.ts";

/** They are entered by hand, and go to phones one by one. */
const NETWORKS_MAX = 200;
const KEY_DOMAIN = "wireless_key";

const LIST = {
  name: "own_wireless_networks", // wireless_network_of_operator
  text: `select id, body, key_sealed from wireless_network where operator_id = $1 and retired_at is null
          order by id limit ${NETWORKS_MAX}`,
};
const INSERT = {
  name: "insert_wireless_network", // wireless_network_pkey
  text: `insert into wireless_network (id, operator_id, body, key_sealed, made_by, made_at) values ($1, $2, $3, $4, $5, $6)
             on conflict (id) do nothing`,
};
const RETIRE = {
  name: "retire_wireless_network", // wireless_network_of_operator
  text: "update wireless_network set retired_at = $3 where operator_id = $1 and id = $2 and retired_at is null",
};

type Row = {
  readonly id: string;
  readonly body: Omit<WirelessNetwork, "id" | "key">;
  readonly key_sealed: Buffer | null;
};

export async function wirelessNetworksOf(
  { database, sealer }: Pick<RegistryDeps, "database" | "sealer">,
  operatorId: string,
): Promise<readonly WirelessNetwork[]> {
  const rows = await database.rows<Row>(LIST.text, [operatorId]);
  return rows.map(({ id, body, key_sealed }) => ({
    ...body,
    id,
    key: key_sealed && sealer.open(KEY_DOMAIN, key_sealed),
  }));
}

export const wirelessNetworksIn = (deps: RegistryDeps, note: Note): WirelessNetworks<WirelessNetwork> => ({
  list: (operatorId) => wirelessNetworksOf(deps, operatorId),
  add: (operatorId, { id, key, ...body }, actor) =>
    putInForce(deps, operatorId, ["access_points"], async (tx) => {
      const sealed = key === null ? null : deps.sealer.seal(KEY_DOMAIN, key);
      const values = [id, operatorId, JSON.stringify(body), sealed, actor, deps.clock()];
      if ((await tx.run(INSERT, values)) === 0) return;
      await wakeWaiting(tx, operatorId, deps.clock());
      const detail = { ssid: body.ssid, security: body.security };
      await note(tx, operatorId, { actor, action: "wireless_network.add", subject: id, detail });
    }),
  retire: (operatorId, id, actor) =>
    putInForce(deps, operatorId, ["access_points"], async (tx) => {
      const found = (await tx.run(RETIRE, [operatorId, id, deps.clock()])) > 0;
      if (found) await note(tx, operatorId, { actor, action: "wireless_network.retire", subject: id });
      return found;
    }),
});
