/**
 * Opens what a program keeps: the embedded server or the one of `database.url`, its schema brought to this release,
 * and the seals of its identifiers.
 */
import { join } from "node:path";
import type pg from "pg";
import { type Database, openDatabase } from "../../store/database/database.ts";
import {
  type MigrateOutcome,
  migrate,
  migrationFiles,
  type OnMigrateProgress,
} from "../../store/database/migrate.ts";
import { makeDataFolder } from "../../store/embedded/place.ts";
import { runningPostgres, startEmbeddedPostgres } from "../../store/embedded/supervisor.ts";
import type { Sealer } from "../../store/seal/seal.ts";
import { sealerOf } from "../../store/seal/seal-key.ts";
import type { TurnupError } from "../../term/error.ts";
import { type Config, dataFolderOf } from "../config/config.ts";

export type Store = {
  readonly database: Database;
  readonly sealer: Sealer;
  readonly migrated: MigrateOutcome;
  /** How another session is opened. */
  readonly connection: pg.PoolConfig;
  /** In words for a person: which server. Holds no password. */
  readonly server: string;
  /** Closes the pool, then stops the server if it is ours. */
  close(): Promise<void>;
};

type StoreOptions = {
  readonly config: Config;
  readonly log: (message: string) => void;
  /** A command beside a running Turnup: where one has the data folder, its server is used and left running. */
  readonly beside?: boolean;
  /** The embedded server died and does not come back. */
  readonly onLost?: ((error: TurnupError) => void) | undefined;
  /** How far migrations are. Without it the log is told, every few seconds. */
  readonly onMigrate?: OnMigrateProgress;
  /** The work is with others for a while, and the program is free for something else. */
  readonly onWaiting?: () => void;
};

type Server = {
  readonly connection: pg.PoolConfig;
  readonly server: string;
  readonly isFull?: () => boolean;
  stop(): Promise<void>;
};

export async function openStore(options: StoreOptions): Promise<Store> {
  const { config } = options;
  const opened = await openBare(options);
  try {
    const onMigrate = options.onMigrate ?? tellNowAndThen(options.log);
    const migrated = await migrate(opened.database, migrationFiles(), onMigrate);
    for (const note of migrated.notes) options.log(`changed for ${note}`);
    return { ...opened, sealer: await openSeals(config, opened.database), migrated };
  } catch (error) {
    await opened.close();
    throw error;
  }
}

const TELL_EVERY_MS = 5_000;

/** Migrations of a small database are over before the first word. */
function tellNowAndThen(log: (message: string) => void): OnMigrateProgress {
  let toldAt = performance.now();
  return ({ name, part, parts, table, done, total }) => {
    if (performance.now() - toldAt < TELL_EVERY_MS) return;
    toldAt = performance.now();
    const rows = table === null ? "" : `: ${done} of ${total} rows of ${table}`;
    log(`migrating to this release: ${name}, part ${part} of ${parts}${rows}`);
  };
}

/** The database as it is, whatever release it is of. */
type BareStore = Omit<Store, "sealer" | "migrated">;
export async function openBare({
  config,
  log,
  beside = false,
  onLost,
  onWaiting = () => undefined,
}: StoreOptions): Promise<BareStore> {
  const folder = dataFolderOf(config);
  const { connection, server, isFull, stop } = await serverOf(config, {
    folder,
    log,
    beside,
    onLost,
    onWaiting,
  });
  try {
    const database = await openDatabase({ connection, isFull, ...config.database });
    const close = async (): Promise<void> => {
      await database.close();
      await stop();
    };
    return { database, connection, server, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** @throws TurnupError `seal_key_missing`, `seal_broken`, `seal_key_malformed` */
export function openSeals(config: Config, database: Database): Promise<Sealer> {
  const folder = dataFolderOf(config);
  if (!config.seal.key) makeDataFolder(folder);
  return sealerOf(database, { key: config.seal.key, file: sealKeyFile(config) });
}
export const sealKeyFile = (config: Config): string => join(dataFolderOf(config), "seal.key");

type Where = Required<Omit<StoreOptions, "config" | "onLost" | "onMigrate">> &
  Pick<StoreOptions, "onLost"> & { readonly folder: string };

async function serverOf(config: Config, { folder, log, beside, onLost, onWaiting }: Where): Promise<Server> {
  const none = async (): Promise<void> => undefined;
  if (config.database.url) {
    onWaiting();
    const connectionString = config.database.url.reveal();
    return { connection: { connectionString }, server: "the server of database.url", stop: none };
  }
  const running = beside ? runningPostgres(folder) : undefined;
  if (running) return { connection: running, server: `the running Turnup's in ${folder}`, stop: none };
  const embedded = await startEmbeddedPostgres({ folder, log, onWaiting, onLost });
  const { connection, isFull, stop } = embedded;
  return { connection, server: `embedded in ${folder}`, isFull, stop };
}
