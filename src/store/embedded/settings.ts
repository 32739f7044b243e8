/**
 * The settings of the embedded server, given on its command line at each start, so that a data folder made by an
 * older release runs with today's. Durable first: an answer that Turnup gave is on the disk.
 */
import { createHash } from "node:crypto";

const SETTINGS = {
  // Nothing but a unix socket, in a folder of mode 0700.
  listen_addresses: "",
  port: "5432",
  unix_socket_permissions: "0700",
  max_connections: "100",

  // A commit is on the disk before it is answered. Never turn these off for speed.
  fsync: "on",
  synchronous_commit: "on",
  full_page_writes: "on",
  // One server, no replica reads its log: the least log that survives a crash.
  wal_level: "minimal",
  max_wal_senders: "0",
  wal_compression: "on",
  max_wal_size: "4GB",
  min_wal_size: "128MB",
  checkpoint_timeout: "15min",
  checkpoint_completion_target: "0.9",

  // A small machine of two cores that also runs Node.
  shared_buffers: "256MB",
  effective_cache_size: "1GB",
  work_mem: "16MB",
  maintenance_work_mem: "128MB",
  // Parallel plans take shared memory from /dev/shm, 64 MB in a usual container, and gain little on two cores.
  max_parallel_workers_per_gather: "0",
  max_parallel_maintenance_workers: "0",
  jit: "off",
  random_page_cost: "1.1",
  autovacuum_naptime: "15s",

  // The server's log never holds a statement, a parameter or a row: they could name a subscriber. An error of a
  // statement goes to the client alone ("log" lies above "error" among the levels of log_min_messages).
  log_statement: "none",
  log_min_messages: "log",
  log_min_error_statement: "panic",
  log_error_verbosity: "terse",
  log_parameter_max_length: "0",
  log_parameter_max_length_on_error: "0",
  log_min_duration_statement: "-1",
  log_checkpoints: "off",
  log_lock_waits: "off",
  log_autovacuum_min_duration: "-1",
  log_connections: "",
  log_disconnections: "off",
  log_timezone: "UTC",
  timezone: "UTC",
} as const;

/**
 * Names the settings and the release of the server, and travels as its `cluster_name`: a server left running by an
 * earlier Turnup is adopted when it carries this name, and restarted when it does not.
 */
export function clusterNameOf(binariesVersion: string): string {
  const hash = createHash("sha256")
    .update(JSON.stringify([SETTINGS, binariesVersion]))
    .digest("hex");
  return `turnup-${hash.slice(0, 16)}`;
}

export function serverArguments(dataFolder: string, socketFolder: string, clusterName: string): string[] {
  // The setting is a list; quotes keep a comma or a blank in the path from parting it.
  const quoted = `"${socketFolder.replaceAll('"', '""')}"`;
  const settings = { ...SETTINGS, unix_socket_directories: quoted, cluster_name: clusterName };
  return ["-D", dataFolder, ...Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`])];
}
