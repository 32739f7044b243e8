/** `turnup access-point ...`: the operator's own access points, for all models or some, over the same code as the API. */
import { ACCESS_POINT_FILES, fileOfAccessPoints } from "../../http/v1/access-points/file.ts";
import { AccessPointIn, ownAccessPoint, writtenAccessPoint } from "../../http/v1/access-points.ts";
import type { AccessPoint } from "../../kernel/settings/access-point.ts";
import { createRegistry } from "../../store/operator/registry.ts";
import { wordOf } from "../../term/narrow.ts";
import { OPERATOR_OPTIONS, withOperator } from "../server/operator-store.ts";
import type { Command } from "../terminal/command.ts";
import { addCommandOf, listCommandOf, type OwnSetting, removeCommandOf } from "../terminal/own-setting.ts";

const ACCESS_POINT: OwnSetting<AccessPoint, typeof AccessPointIn> = {
  noun: "access-point",
  words: "access point",
  schema: AccessPointIn,
  made: ownAccessPoint,
  shown: (point) => writtenAccessPoint(point, false),
  heads: ["ID", "NAME", "APN", "USES", "NETWORK", "MODELS"],
  row: ({ id, name, apn, uses, criteria }) => [
    id,
    name,
    apn,
    uses.join(", "),
    `${criteria.mcc}-${criteria.mnc}`,
    criteria.models?.join(", ") ?? "all",
  ],
  notFound: "access_point_not_found",
  of: ({ accessPoints }) => accessPoints,
};

export const accessPointAddCommand = addCommandOf(ACCESS_POINT, {
  summary: "Add access points of the operator's own, for all models or some",
  description: [
    'As POST /v1/access-points takes them: {"name": "Net", "uses": ["internet"], "apn": "net.example",',
    '"criteria": {"mcc": "001", "mnc": "01", "models": ["Nokia/3310*"]}}. They stand before every shipped one, and one for a model',
    "stands before those for all. A change is a new one and the old one removed. Running servers go by it at once.",
  ].join("\n"),
  examples: [
    "turnup access-point add points.json",
    "turnup access-point add - --operator meridian < point.json",
  ],
});

export const accessPointListCommand = listCommandOf(ACCESS_POINT, {
  summary: "List the operator's own access points",
  examples: ["turnup access-point list", "turnup access-point list --json"],
});

export const accessPointRemoveCommand = removeCommandOf(ACCESS_POINT, {
  summary: "Retire an access point of the operator's own",
  examples: ["turnup access-point remove 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11"],
});

export const accessPointFileCommand: Command = {
  name: "access-point file",
  summary: "Write access points as a file for Android devices",
  description: [
    "apns-conf: a fragment of apns-conf.xml, which a maker builds into a system image. android-management: the apnPolicy of an",
    "Android Management API policy, for fully managed devices from Android 10 on. All of the operator's own, or one by its id;",
    "passwords stand in it.",
  ].join("\n"),
  args: [{ usage: "[id]", about: "of one access point; `access-point list` names it" }],
  options: [
    { flags: "--format <format>", about: "which file", choices: ACCESS_POINT_FILES, needed: true },
    ...OPERATOR_OPTIONS,
  ],
  examples: [
    "turnup access-point file --format apns-conf > apns-conf.xml",
    "turnup access-point file 01981f2e-7b30-7cc0-8f00-5b3e1f6d2a11 --format android-management",
  ],
  async run(context) {
    const [id] = context.args;
    const format = wordOf(ACCESS_POINT_FILES, context.option("format")) ?? "apns-conf";
    return await withOperator(context, async ({ store, newId, clock, operator }) => {
      const { accessPoints } = createRegistry({
        database: store.database,
        sealer: store.sealer,
        newId,
        clock,
      });
      const all = await accessPoints.list(operator.id);
      await context.print(fileOfAccessPoints(all, { format, id, seesSecrets: true }).text.trimEnd());
      return "ok";
    });
  },
};
