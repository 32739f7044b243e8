/** Which Registration Module a turn works with: the shipped one where no other was given. */
import {
  type Catalog,
  type Expansion,
  expandRemoval,
  expandSelection,
  type LackOf,
} from "../catalog/expand.ts";
import type { ConductorDeps } from "../order/deps.ts";
import type { RegistrationModule } from "../order/kernel-modules.ts";
import type { NewRequest } from "../order/request.ts";
import type { RequestTurn } from "../order/turn.ts";
import { beginRequest, checkAnswered } from "./begin.ts";
import { needsClient } from "./needs-client.ts";

type Registration = RegistrationModule<RequestTurn>;

const REGISTRATION: Registration = { match: expand, begin: beginRequest, answered: checkAnswered };

export const registrationModuleOf = ({ modules }: Pick<ConductorDeps, "modules">): Registration =>
  modules?.registration ?? REGISTRATION;

function expand(
  catalog: Catalog,
  { action, selection }: NewRequest,
  had: {
    readonly here: ReadonlySet<string>;
    readonly outdated: ReadonlySet<string>;
    readonly all: ReadonlySet<string>;
    readonly hasClient: boolean;
    readonly lackOf?: LackOf;
  },
): Expansion {
  if (action === "remove") return expandRemoval(catalog, selection, { has: had.all });
  return expandSelection(catalog, selection, {
    has: had.here,
    outdated: had.outdated,
    deviceTakes: (item) => had.hasClient || !needsClient(item),
    ...(had.lackOf && { lackOf: had.lackOf }),
  });
}
