/**
 * The subscriber's portal: one dialog behind two doors, the land door (a proxy vouches for who asks) and the public server
 * (`/d/...`, for those who come without our proxy). `createPortal` gives both.
 */
import type { RoadHandler, RoadResponse } from "../land/handler.ts";
import { readPosted } from "./body.ts";
import { type Guest, landGuest } from "./guest.ts";
import { type Call, type House, type Shown, showTrouble, Trouble, troubleOf } from "./house.ts";
import type { PortalDeps } from "./ports.ts";
import { takeStep } from "./steps.ts";

export type Portal = {
  /** Behind the land door. */
  readonly road: RoadHandler;
};

export function createPortal(deps: PortalDeps): Portal {
  const house: House = { deps };
  return {
    async road(identity, request) {
      const operator = await deps.operatorAt({ proxy: identity.proxy });
      if (!operator) throw new Error(`no operator takes requests of the proxy ${identity.proxy}`);
      const guest = await landGuest(deps, operator, identity);
      const answer = await answered(house, guest, () => ({
        ...request,
        body: readPosted(request.contentType, request.body),
      }));
      return roadResponse(answer);
    },
  };
}

/** The step's screen, or the screen that tells what was wrong. */
export async function answered(house: House, guest: Guest, read: () => Call): Promise<Shown> {
  const { deps } = house;
  try {
    const answer = await takeStep({ house, guest, call: read() });
    if (answer.kind === "screen" && guest.person) {
      deps.onShown?.({
        operatorId: guest.operator.id,
        subscriberId: guest.person.subscriberId,
        screen: answer.screen.id,
        at: deps.clock(),
      });
    }
    return answer;
  } catch (error) {
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    return showTrouble(guest, trouble);
  }
}

function roadResponse(answer: Shown): RoadResponse {
  if (answer.kind === "content") return answer;
  const { status, screen } = answer;
  return { kind: "screen", status, screen };
}

export { Trouble };
