/** What a guest is answered: his step's screen, or the screen that tells in words why not. */
import type { Guest } from "./guest.ts";
import { type Call, type House, type Shown, showTrouble, troubleOf } from "./house.ts";
import { destinationOf } from "./sign-in.ts";
import { STEPS, type StepRow, takeStep } from "./steps.ts";

export async function answered(
  house: House,
  guest: Guest,
  read: () => Call,
  steps: readonly StepRow[] = STEPS,
): Promise<Shown> {
  let call: Call | undefined;
  try {
    call = read();
    const answer = await takeStep({ house, guest, call }, steps);
    if (answer.kind === "screen" && guest.person) {
      house.deps.onShown?.({
        operatorId: guest.operator.id,
        subscriberId: guest.person.subscriberId,
        screen: answer.screen.id,
        at: house.deps.clock(),
      });
    }
    return answer;
  } catch (error) {
    const trouble = troubleOf(error);
    if (!trouble) throw error;
    return showTrouble(guest, trouble, call?.method === "GET" ? destinationOf(call.path) : null);
  }
}
