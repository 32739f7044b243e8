/**
 * The subscriber's portal: one dialog behind two doors, the land door (a proxy vouches for who asks) and the public server
 * (`/d/...`, for those who come without our proxy). `createPortal` gives both.
 */
import { TurnupError } from "../../term/error.ts";
import type { LandHandler, LandResponse } from "../land/handler.ts";
import { answered } from "./answered.ts";
import { readPosted } from "./body.ts";
import type { PortalContext, Shown } from "./portal-context.ts";
import type { PortalDeps } from "./ports.ts";
import { createPublicDoor, type PublicDoor } from "./public-door.ts";
import { landVisitor } from "./visitor.ts";

export type Portal = {
  /** Behind the land door. */
  readonly road: LandHandler;
  /** On the public server, before it listens; what it holds ends when that server closes. */
  readonly mount: PublicDoor["mount"];
  /** Resolves when no SMS waits to be written down any more. */
  readonly idle: PublicDoor["idle"];
};

export function createPortal(deps: PortalDeps): Portal {
  const context: PortalContext = { deps };
  const { mount, idle } = createPublicDoor(context);
  return {
    mount,
    idle,
    async road(identity, request) {
      const operator = await deps.operatorAt({ proxy: identity.proxy });
      if (!operator) throw new Error(`no operator takes requests of the proxy ${identity.proxy}`);
      if (await deps.isShutOut?.(operator.id, identity.imei, identity.proxy)) throw shutOut();
      const visitor = await landVisitor(deps, operator, identity);
      const answer = await answered(context, visitor, () => ({
        ...request,
        body: readPosted(request.contentType, request.body),
      }));
      return landResponse(answer, deps.displayOf?.(operator.id, identity.imei) ?? null);
    },
  };
}

const shutOut = (): TurnupError =>
  new TurnupError("device_blocked", "The account of this device is blocked or closed.");

function landResponse(answer: Shown, display: string | null): LandResponse {
  if (answer.kind === "content") return answer;
  const { status, screen, code } = answer;
  return {
    kind: "screen",
    status,
    screen,
    ...(code === undefined ? {} : { code }),
    ...(display === null ? {} : { display }),
  };
}
