/** The operator's own access points: they stand before every shipped one. A change is a new one and the old retired. */
import Type, { type Static } from "typebox";
import { type AccessPoint, addressFaultOf, PDN_PROTOCOLS, USES } from "../../kernel/settings/access-point.ts";
import { parseApn } from "../../term/apn.ts";
import { TurnupError } from "../../term/error.ts";
import { hostOf, plainUrl } from "../../term/host.ts";
import { InvalidRequest } from "../problem.ts";
import { redactSecrets } from "../redact.ts";
import { created, gone, ok, route } from "../route.ts";
import { anything, id, integerOrNull, named, text, textOrNull, words, wordsOrNull } from "../schema.ts";

const AUTH_TYPES = ["none", "pap", "chap", "pap_or_chap"] as const;

const Criteria = Type.Object(
  {
    mcc: Type.String({ pattern: "^[0-9]{3}$", description: "3 digits." }),
    mnc: Type.String({ pattern: "^[0-9]{2,3}$", description: "2 or 3 digits; 01 is not 001." }),
    gid1: Type.Optional(Type.String({ pattern: "^[0-9A-Fa-f]{1,40}$", description: "Hexadecimal prefix." })),
    spn: Type.Optional(text("Service provider name, whole.", 40)),
    imsiPrefix: Type.Optional(
      Type.String({ pattern: "^[0-9xX]{1,15}$", description: "Leading digits; x for any." }),
    ),
    iccidPrefix: Type.Optional(Type.String({ pattern: "^[0-9]{1,20}$", description: "Leading digits." })),
    carrierId: Type.Optional(Type.Integer({ minimum: 0 })),
    wholeNetwork: Type.Optional(
      Type.Boolean({ description: "Serves every SIM of the network, hosted ones too." }),
    ),
    models: Type.Optional(
      Type.Array(text("make/model, make/prefix* or make/*.", 200), {
        minItems: 1,
        maxItems: 500,
        description: "For these models alone; it stands before any for all models.",
      }),
    ),
  },
  { additionalProperties: false, description: "Whose SIMs it is for: all that is given must hold." },
);

const port = Type.Optional(Type.Integer({ minimum: 1, maximum: 65_535 }));
export const AccessPointIn = named(
  "NewAccessPoint",
  Type.Object(
    {
      name: text("What the phone shows.", 80),
      uses: Type.Array(words(USES), { minItems: 1, maxItems: USES.length }),
      apn: text("Access point name.", 100),
      protocol: Type.Optional(words(PDN_PROTOCOLS)),
      authType: Type.Optional(words(AUTH_TYPES)),
      user: Type.Optional(text("Login.", 100)),
      password: Type.Optional(text("Kept sealed.", 100)),
      mmsc: Type.Optional(text("URL of the picture message centre.", 300)),
      mmsProxy: Type.Optional(text("Host or address.", 253)),
      mmsPort: port,
      proxy: Type.Optional(text("Host or address.", 253)),
      port,
      homepage: Type.Optional(text("URL.", 300)),
      plan: Type.Optional(words(["postpaid", "prepaid"])),
      criteria: Criteria,
    },
    { additionalProperties: false },
  ),
);

export const AccessPointOut = named(
  "AccessPoint",
  Type.Object({
    id: Type.String(),
    ownership: words(["operator", "shipped"]),
    name: Type.String(),
    provider: textOrNull(),
    uses: Type.Array(words(USES)),
    apn: Type.String(),
    protocol: wordsOrNull(PDN_PROTOCOLS),
    authType: wordsOrNull(AUTH_TYPES),
    user: textOrNull(),
    password: textOrNull({ description: "*** unless the role is admin." }),
    mmsc: textOrNull(),
    mmsProxy: textOrNull(),
    mmsPort: integerOrNull(),
    proxy: textOrNull(),
    port: integerOrNull(),
    homepage: textOrNull(),
    plan: wordsOrNull(["postpaid", "prepaid"]),
    confirmed: Type.Boolean(),
    source: Type.Object({ name: Type.String(), version: Type.String(), licence: Type.String() }),
    criteria: anything("Whose SIMs it is for."),
  }),
);

export const writtenAccessPoint = (point: AccessPoint, seesSecrets: boolean): Static<typeof AccessPointOut> =>
  redactSecrets(point, seesSecrets) as Static<typeof AccessPointOut>; // texts alone were redacted

export const listAccessPoints = route({
  method: "GET",
  path: "/v1/access-points",
  summary: "The operator's own access points",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: [],
  status: 200,
  answer: Type.Object({ accessPoints: Type.Array(AccessPointOut) }),
  async handle({ accessPoints }, { caller }) {
    const points = await accessPoints.list(caller.operatorId);
    return ok({ accessPoints: points.map((point) => writtenAccessPoint(point, caller.role === "admin")) });
  },
});

/** More are not counted: it is many. */
const ORDERS_COUNTED_MAX = 10_000;

export const showAccessPoint = route({
  method: "GET",
  path: "/v1/access-points/:id",
  summary: "An access point of the operator's own, and how many orders under way send its APN",
  tag: "settings",
  roles: ["admin", "engineer", "care"],
  errors: ["access_point_not_found"],
  status: 200,
  params: { id: id("Of the access point.") },
  answer: Type.Object({
    accessPoint: AccessPointOut,
    ordersUnderWay: Type.Integer({
      description: `Orders that are not over and whose settings name its APN; ${ORDERS_COUNTED_MAX} are that many or more.`,
    }),
  }),
  async handle({ accessPoints }, { params, caller }) {
    const point = await accessPoints.find(caller.operatorId, params.id);
    if (!point) throw noAccessPoint();
    const ordersUnderWay = await accessPoints.countOrders(caller.operatorId, point.apn, ORDERS_COUNTED_MAX);
    return ok({ accessPoint: writtenAccessPoint(point, caller.role === "admin"), ordersUnderWay });
  },
});

const noAccessPoint = (): TurnupError =>
  new TurnupError("access_point_not_found", "There is no such access point.", {
    nextStep: "GET /v1/access-points lists them.",
  });

export const addAccessPoint = route({
  method: "POST",
  path: "/v1/access-points",
  summary: "Add an access point of the operator's own",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: [],
  status: 201,
  once: "door",
  body: AccessPointIn,
  answer: AccessPointOut,
  async handle({ accessPoints, clock }, { body, caller, once }) {
    const point = ownAccessPoint(body, once.subjectId, clock());
    await accessPoints.add(caller.operatorId, point, caller.label);
    return created(writtenAccessPoint(point, false)); // whoever sent the password knows it; the kept answer must not
  },
});

/**
 * As it is kept, whichever way it was given.
 * @throws InvalidRequest: an access point name that is none (TS 23.003 clause 9), a proxy or URL whose host is none
 */
export function ownAccessPoint(body: Static<typeof AccessPointIn>, id: string, now: Date): AccessPoint {
  const broken = apnFaultOf(body.apn);
  if (broken) throw new InvalidRequest([{ at: "body/apn", wanted: broken }]);
  if (body.uses.includes("mms") && !/^https?:\/\/\S+$/i.test(body.mmsc ?? ""))
    throw new InvalidRequest([
      { at: "body/mmsc", wanted: "a URL with http:// or https://, which MMS needs" },
    ]);
  const fault = addressFaultOf(body);
  if (fault) throw new InvalidRequest([{ at: `body/${fault.field}`, wanted: fault.wanted }]);
  return accessPointIn(body, id, now);
}

/** What is wrong with the name (TS 23.003 clause 9), or undefined. */
function apnFaultOf(apn: string): string | undefined {
  try {
    parseApn(apn);
    return undefined;
  } catch (error) {
    if (error instanceof TurnupError) return error.message;
    throw error;
  }
}

/** As a phone is to have it: `010.0.0.1` is 10.0.0.1, and some read a leading zero as octal. */
const plainHost = (text: string | undefined): string | null =>
  text === undefined ? null : (hostOf(text)?.address ?? text);
const plainAddress = (text: string | undefined): string | null =>
  text === undefined ? null : (plainUrl(text) ?? text);

const accessPointIn = (body: Static<typeof AccessPointIn>, id: string, now: Date): AccessPoint => ({
  id,
  ownership: "operator",
  name: body.name,
  provider: null,
  uses: body.uses,
  apn: body.apn,
  protocol: body.protocol ?? null,
  authType: body.authType ?? null,
  user: body.user ?? null,
  password: body.password ?? null,
  mmsc: plainAddress(body.mmsc),
  mmsProxy: plainHost(body.mmsProxy),
  mmsPort: body.mmsPort ?? null,
  proxy: plainHost(body.proxy),
  port: body.port ?? null,
  homepage: plainAddress(body.homepage),
  plan: body.plan ?? null,
  shown: true,
  wifiOnly: false,
  confirmed: true,
  source: { name: "operator", version: now.toISOString(), licence: "the operator's own" },
  criteria: body.criteria as AccessPoint["criteria"], // absent stays absent: JSON knows no undefined
});

export const retireAccessPoint = route({
  method: "DELETE",
  path: "/v1/access-points/:id",
  summary: "Retire an access point; orders that used it keep what they sent",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: ["access_point_not_found"],
  status: 204,
  params: { id: id("Of the access point.") },
  async handle({ accessPoints }, { params, caller }) {
    if (!(await accessPoints.retire(caller.operatorId, params.id, caller.label))) throw noAccessPoint();
    return gone();
  },
});
