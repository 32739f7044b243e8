/** What a visitor is answered: their step's screen, or the screen that tells in words why not. */
import {
  type PortalContext,
  type PortalRequest,
  type Shown,
  showTrouble,
  troubleOf,
} from "./portal-context.ts";
import { destinationOf } from "./sign-in.ts";
import { STEPS, takeStep } from "./steps.ts";
import type { Visitor } from "./visitor.ts";
import type { StepRow } from "./walk.ts";

export async function answered(
  context: PortalContext,
  visitor: Visitor,
  read: () => PortalRequest,
  steps: readonly StepRow[] = STEPS,
): Promise<Shown> {
  let call: PortalRequest | undefined;
  try {
    call = read();
    const answer = await takeStep({ context, visitor, call }, steps);
    if (answer.kind === "screen" && visitor.person) {
      context.deps.onShown?.({
        operatorId: visitor.operator.id,
        subscriberId: visitor.person.subscriberId,
        screen: answer.screen.id,
        at: context.deps.clock(),
      });
    }
    return answer;
  } catch (error) {
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    return showTrouble(visitor, trouble, call?.method === "GET" ? destinationOf(call.path) : null);
  }
}
