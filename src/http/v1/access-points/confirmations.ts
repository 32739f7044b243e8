/** POST /v1/access-points/confirmations: a person's word for suggestions; they become the operator's own access points. */
import Type from "typebox";
import { USES } from "../../../kernel/settings/access-point.ts";
import { ACCEPTED_RISKS, confirmedPoints } from "../../../kernel/settings/confirm-suggestions.ts";
import { created, route } from "../../route.ts";
import { named, text, words } from "../../schema.ts";
import { AccessPointOut, writtenAccessPoint } from "../access-points.ts";
import { groupOf, groupSigns, homeNetwork } from "./suggestions.ts";

const PICKS_MAX = 20;

const ConfirmationsIn = named(
  "AccessPointConfirmations",
  Type.Object(
    {
      network: homeNetwork,
      ...groupSigns,
      wholeNetwork: Type.Optional(
        Type.Boolean({
          description: "For every SIM of the network that the operator has, whatever its signs.",
        }),
      ),
      accessPoints: Type.Array(
        Type.Object(
          {
            id: text("Of the suggestion.", 200),
            uses: Type.Optional(
              Type.Array(words(USES), {
                minItems: 1,
                maxItems: USES.length,
                description: "Roles; all that are suggested unless given.",
              }),
            ),
          },
          { additionalProperties: false },
        ),
        { minItems: 1, maxItems: PICKS_MAX },
      ),
      accept: Type.Optional(
        Type.Array(words(ACCEPTED_RISKS), {
          maxItems: ACCEPTED_RISKS.length,
          description:
            "What is confirmed all the same: that it is the host's, that it is doubtful, that it failed for own SIMs.",
        }),
      ),
    },
    { additionalProperties: false },
  ),
);

export const confirmAccessPoints = route({
  method: "POST",
  path: "/v1/access-points/confirmations",
  summary: "Confirm suggestions: they become access points of the operator's own",
  description:
    "One or several, for the network and the signs that they were asked for. All of them or none: what needs `accept` and has it not is refused before anything is written.",
  tag: "settings",
  roles: ["admin", "engineer"],
  errors: ["suggestion_not_accepted", "suggestion_not_found"],
  status: 201,
  once: "door",
  body: ConfirmationsIn,
  answer: Type.Object({ accessPoints: Type.Array(AccessPointOut) }),
  async handle({ settings, accessPoints, newId }, { body, caller, once }) {
    const { network, accessPoints: picks, accept = [], wholeNetwork = false, ...signs } = body;
    const group = groupOf(network, signs);
    const [known] = await settings.suggest(caller.operatorId, group);
    const asked = { group, accept, wholeNetwork, picks: picks.map(({ id, uses = [] }) => ({ id, uses })) };
    const points = known ? confirmedPoints(asked, known) : [];
    const added = points.map((point, at) => ({ ...point, id: at === 0 ? once.subjectId : newId() }));
    await accessPoints.addAll(caller.operatorId, added, caller.label);
    return created({ accessPoints: added.map((point) => writtenAccessPoint(point, false)) });
  },
});
