/** How people of the simulated world go on when the server is away for a moment. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "vitest";
import { encodeAppleProfile } from "../../wire/apple/profile.ts";
import { reporter } from "./world-reporter.ts";

const uuidOf = (n: number): string => `0000000${n}-0000-4000-8000-000000000000`;
const PROFILE = Buffer.from(
  encodeAppleProfile({
    ...{
      identifier: "net.example",
      uuid: uuidOf(1),
      displayName: null,
      description: null,
      organization: null,
    },
    secondsUntilRemoval: null,
    payloads: [
      {
        ...{ kind: "cellular", identifier: "net.example.cellular", uuid: uuidOf(2), displayName: null },
        attachApn: null,
        apns: [
          {
            ...{ name: "internet.example", authentication: null, username: null, password: null },
            ...{ protocols: null, roamingProtocols: null, domesticRoamingProtocols: null },
            ...{ proxyServer: null, proxyPort: null, xlat464: false },
          },
        ],
      },
    ],
  }),
);

test("an iPhone whose page came just before its server went away installs the profile when the server is back", async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const what = String(request.url);
    const times = asked.filter((one) => one === what).length;
    asked.push(what);
    if (what === "/s/link") return response.end('<a class="button lead" href="/s/link/profile">Install</a>');
    if (times === 0) return request.socket.destroy();
    response.statusCode = times === 1 ? 503 : 200;
    return response.end(times === 1 ? "" : PROFILE);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const world = reporter();
  try {
    const points = await world.openLink(`http://127.0.0.1:${port}/s/link`, "Apple");
    assert.deepEqual(points, [{ apn: "internet.example", use: "internet" }]);
    const [page, profile] = ["/s/link", "/s/link/profile"];
    assert.deepEqual(asked, [page, profile, page, profile, page, profile]);
  } finally {
    await world.close();
    server.close();
  }
});
