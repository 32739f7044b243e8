/**
 * The subscriber's portal: one dialog behind two doors, the land door (a proxy vouches for who asks) and the public server
 * (`/d/...`, for those who come without our proxy). `createPortal` gives both.
 */
import type { RoadHandler, RoadResponse } from "../land/handler.ts";
import { answered } from "./answered.ts";
import { readPosted } from "./body.ts";
import { landGuest } from "./guest.ts";
import type { House, Shown } from "./house.ts";
import type { PortalDeps } from "./ports.ts";
import { createPublicDoor, type PublicDoor } from "./public-door.ts";

export type Portal = {
  /** Behind the land door. */
  readonly road: RoadHandler;
  /** On the public server, before it listens; what it holds ends when that server closes. */
  readonly mount: PublicDoor["mount"];
  /** Resolves when no SMS waits to be written down any more. */
  readonly idle: PublicDoor["idle"];
};

export function createPortal(deps: PortalDeps): Portal {
  const house: House = { deps };
  const { mount, idle } = createPublicDoor(house);
  return {
    mount,
    idle,
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

function roadResponse(answer: Shown): RoadResponse {
  if (answer.kind === "content") return answer;
  const { status, screen, code } = answer;
  return { kind: "screen", status, screen, ...(code === undefined ? {} : { code }) };
}
