/** The doors where networks tell by their own protocols what they see: opened beside the API, and changed while they are open. */
import { certificateLook, type RevocationCheck } from "../../http/revocation-check.ts";
import type { Config } from "../config/config.ts";
import { readEirPlace } from "../config/eir-config.ts";
import { readGsupPlace } from "../config/gsup-config.ts";
import { readRadiusPlace } from "../config/radius-config.ts";
import { readS13Place } from "../config/s13-config.ts";
import type { ClosingStack } from "./closing-stack.ts";
import { openEir } from "./eir-door.ts";
import type { Equipment } from "./equipment.ts";
import { openEquipmentDesk } from "./equipment-desk.ts";
import { openGsup } from "./gsup-door.ts";
import type { lateSessions } from "./late-sessions.ts";
import { openRadius } from "./radius-door.ts";
import { openS13 } from "./s13-door.ts";
import type { ServerOptions } from "./server-options.ts";
import type { Opened, Work } from "./start-work.ts";
import type { createStrangers } from "./strangers.ts";

/** Where each listens; undefined where there is no such door. */
export type ProbePorts = {
  /** UDP, for RADIUS accounting. */
  readonly radiusPort: number | undefined;
  /** TCP, for RADIUS over TLS. */
  readonly radiusTlsPort: number | undefined;
  readonly s13Port: number | undefined;
  /** Of the 5G-EIR. */
  readonly eirPort: number | undefined;
  readonly gsupPort: number | undefined;
};

/** What doors for certificates ask and tell of them. */
type Certified = {
  readonly revocation: RevocationCheck;
  readonly strangers: ReturnType<typeof createStrangers>;
  /** Told of the sessions that gateways tell of. */
  readonly sessions: ReturnType<typeof lateSessions>;
};

export async function openProbeDoors(
  closing: ClosingStack,
  { stores, intake, witnesses, measures, equipment }: Opened & Work & { readonly equipment: Equipment },
  /** By short name; the one that was made first unless given. */
  operatorIdOf: (slug: string | undefined) => Promise<string | undefined>,
  { config, radius: given, onFault = () => undefined }: ServerOptions,
  certified: Certified,
) {
  const { database, homePlmnOf, clock } = stores;
  const deps = {
    ...{ intake, homePlmnOf, operatorIdOf, clock, onFault },
    ...{ confirm: witnesses.confirm, audit: stores.registry.audit },
    ...{ locks: equipment.locks, statuses: equipment.book },
    clockToleranceMs: config.clock.toleranceSeconds * 1_000,
    monotonicMs: () => performance.now(),
    registry: measures,
    isReady: () =>
      database.rows("select 1").then(
        () => true,
        () => false,
      ),
  };
  const place = given ?? (await readRadiusPlace(config));
  const onRefused = place?.tls && certified.strangers.at("radius");
  const isGood = onRefused && certificateLook(certified.revocation, onRefused);
  const radius = place && closing.use(await openRadius({ ...deps, isGood, onRefused }, place));
  certified.sessions.open(radius?.sessions);
  const s13Place = await readS13Place(config);
  const eirPlace = await readEirPlace(config);
  const gsupPlace = await readGsupPlace(config);
  const operators = [
    ...(s13Place?.peers ?? []),
    ...(eirPlace?.clients ?? []),
    ...(gsupPlace?.clients ?? []),
  ].map(({ operator }) => operator);
  const desk =
    (s13Place || eirPlace || gsupPlace) && closing.use(await openEquipmentDesk({ ...deps, operators }));
  const s13 = s13Place && desk && closing.use(await openS13({ ...deps, desk }, s13Place));
  const eir = eirPlace && desk && closing.use(await openEir({ ...deps, desk }, eirPlace));
  const gsup = gsupPlace && desk && closing.use(await openGsup({ ...deps, desk }, gsupPlace));
  const ports: ProbePorts = {
    ...{ radiusPort: radius?.port, radiusTlsPort: radius?.tlsPort, s13Port: s13?.port },
    ...{ eirPort: eir?.port, gsupPort: gsup?.port },
  };
  return {
    ports,
    /** Reads the files anew; answers what puts them into force. @throws TurnupError: nothing is changed */
    async prepare(next: Config): Promise<() => void> {
      const [change, changeS13] = [await readRadiusPlace(next), await readS13Place(next)];
      const changeLists = await equipment.prepare(next);
      const changeGsup = await readGsupPlace(next);
      const changeEir = await readEirPlace(next);
      return () => {
        changeLists();
        if (change) radius?.change(change);
        if (changeEir) eir?.change(changeEir);
        if (changeGsup) gsup?.change(changeGsup);
        if (changeS13) s13?.change(changeS13);
      };
    },
  };
}
