/** A line between a program and its database that a test can cut: at once, or so that nothing comes through any more. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import type pg from "pg";

export type CutLine = {
  /** How the database is reached over this line. */
  readonly connection: pg.PoolConfig;
  /** Nothing comes through in either direction, and nobody is told: as behind a router that lost its memory. */
  silence(): void;
  /** All connections end; new ones are refused until `mend`. */
  cut(): void;
  mend(): void;
  close(): Promise<void>;
};

export async function cutLine(connection: pg.PoolConfig): Promise<CutLine> {
  const { host = "", port = 5432 } = connection;
  const pairs = new Set<readonly [Socket, Socket]>();
  let state: "open" | "silent" | "cut" = "open";
  const server = createServer((near) => {
    if (state === "cut") return void near.destroy();
    const far = host.startsWith("/") ? connect(join(host, `.s.PGSQL.${port}`)) : connect(Number(port), host);
    const pair = [near, far] as const;
    pairs.add(pair);
    for (const [one, other] of [pair, [far, near]] as const) {
      one.on("error", () => undefined);
      one.on("data", (octets: Buffer) => void (state === "open" && other.write(octets)));
      one.on("close", () => {
        pairs.delete(pair);
        if (state !== "silent") other.destroy();
      });
    }
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const end = (): void => {
    for (const [near, far] of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  return {
    connection: { ...connection, host: "127.0.0.1", port: (server.address() as AddressInfo).port },
    silence: () => {
      state = "silent";
    },
    cut: () => {
      state = "cut";
      end();
    },
    mend: () => {
      end(); // what was in a silenced connection is lost
      state = "open";
    },
    async close() {
      state = "cut";
      end();
      server.close();
      await once(server, "close");
    },
  };
}
