/** The door of a simulated machine: opened on a port of this machine, and closed with all who came through it. */
import type { Server } from "node:http";
import type { Server as TcpServer } from "node:net";

/**
 * @param port none: any that is free
 * @returns the port
 */
export async function listening(server: TcpServer, host: string, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  return portOf(server);
}

/** @throws Error: it does not listen on TCP */
export function portOf(server: TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it does not listen on TCP");
  return address.port;
}

export function closedToAll(server: Server): Promise<void> {
  server.closeAllConnections();
  return closed(server);
}

export const closed = (server: TcpServer): Promise<void> =>
  new Promise((resolve) => server.close(() => resolve()));
