/**
 * A subscriber's PIN for the telephone, chosen or changed by themselves. Who holds a SIM is let in by an SMS to it, which is what the
 * PIN is there against: so one that is set is asked for first, and its wrong tries are those of the telephone. Who forgot it calls
 * the people who care for them.
 */
import { checkPin } from "../../kernel/account/telephone-pin.ts";
import {
  PIN_FIELD,
  PIN_PATH,
  pinKeptScreen,
  pinKeptText,
  pinScreen,
} from "../../kernel/dialog/pin-screens.ts";
import type { OwnScope } from "../../kernel/order/self-care.ts";
import { TurnupError } from "../../term/error.ts";
import { keyOfPost, newState, once, type Shown, shown, Trouble } from "./portal-context.ts";
import { ownScopeOf } from "./visitor.ts";
import { at, channelOf, here, type Walk } from "./walk.ts";

const PURPOSE = "telephone pin";
type Faults = NonNullable<Parameters<typeof pinScreen>[1]["faults"]>;

export async function pin(walk: Walk): Promise<Shown> {
  return shown(await formFor(walk, ownerOf(walk)), at(walk, PIN_PATH));
}

export async function keepPin(walk: Walk): Promise<Shown> {
  const { context, visitor, call } = walk;
  const { deps } = context;
  const scope = ownerOf(walk);
  const key = keyOfPost(context, visitor, call, PURPOSE);
  const typed = (name: string): string => call.body.texts.get(name)?.trim() ?? "";
  const [now, wanted, again] = [typed(PIN_FIELD.now), typed(PIN_FIELD.wanted), typed(PIN_FIELD.again)];
  const faults = faultsOf(wanted, again);
  if (Object.keys(faults).length > 0) return refused(walk, scope, faults);
  try {
    await once(context, visitor, { key, said: [PURPOSE] }, async () => {
      await checkOld(walk, scope, now);
      await deps.pins.put(scope.operatorId, scope.subscriberId, wanted);
      await tell(walk, scope, key);
      return PURPOSE;
    });
  } catch (error) {
    if (!(error instanceof WrongPin)) throw error;
    return refused(walk, scope, { [PIN_FIELD.now]: error.code });
  }
  return shown(pinKeptScreen(await here(walk)), null);
}

/** The PIN that is there was not given. */
class WrongPin extends Trouble {}

/** @throws WrongPin */
async function checkOld(
  { context }: Walk,
  { operatorId, subscriberId }: OwnScope,
  now: string,
): Promise<void> {
  const { pins } = context.deps;
  if (!(await pins.isSet(operatorId, subscriberId))) return;
  const answer = await pins.check(operatorId, subscriberId, now);
  if (answer !== "right") throw new WrongPin(answer === "locked" ? "pin_locked" : "pin_wrong", 422);
}

function faultsOf(wanted: string, again: string): Faults {
  try {
    checkPin(wanted);
  } catch (error) {
    if (!(error instanceof TurnupError)) throw error;
    return { [PIN_FIELD.wanted]: error.code };
  }
  return wanted === again ? {} : { [PIN_FIELD.again]: "pin_differs" };
}

const formFor = async (walk: Walk, { operatorId, subscriberId }: OwnScope, faults: Faults = {}) =>
  pinScreen(await here(walk), {
    state: newState(walk.context, walk.visitor, PURPOSE),
    isSet: await walk.context.deps.pins.isSet(operatorId, subscriberId),
    faults,
  });

const refused = async (walk: Walk, scope: OwnScope, faults: Faults): Promise<Shown> => ({
  ...shown(await formFor(walk, scope, faults), null, 422),
  wrongFields: Object.keys(faults),
});

/** In the operator's books, and by SMS: somebody else may have the SIM in hand for a moment. */
async function tell(walk: Walk, { operatorId, subscriberId }: OwnScope, key: string): Promise<void> {
  const { deps } = walk.context;
  const { visitor } = walk;
  const actor = channelOf(visitor);
  await deps.audit.record(operatorId, { actor, action: "telephone_pin.put", subject: subscriberId });
  const to = visitor.person?.msisdn;
  if (!to) return;
  const text = pinKeptText(visitor.language, visitor.operator.name);
  await deps.texts.send(operatorId, [{ to, text, idempotencyKey: `telephone pin:${key}` }]);
}

/** @throws Trouble `assurance_too_low`, `identity_unknown`: a SIM that is in no books has no PIN */
function ownerOf({ visitor }: Walk): OwnScope {
  const scope = ownScopeOf(visitor);
  if (scope) return scope;
  throw visitor.who ? new Trouble("identity_unknown", 404) : new Trouble("assurance_too_low", 403);
}
