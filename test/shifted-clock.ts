/**
 * Runs tests with a wall clock that is wrong: `TURNUP_TEST_CLOCK=ahead`, `behind`, or `swinging`, which is set forth and back
 * every few seconds while they run. `Date` alone is shifted; the monotonic clock and the database's are as they are, so
 * whatever measures a time by `Date`, or lays it beside the database's, is met. `npm run test:clock` runs what can be run so.
 */
/** Less than what other machines' clocks may be off (`clock.tolerance_seconds`): probes of a story are shifted too. */
const SHIFT_MS = 8 * 60_000;
const SWING_MS = 1_500;

const shifts: Readonly<Record<string, () => number>> = {
  ahead: () => SHIFT_MS,
  behind: () => -SHIFT_MS,
  swinging: () => (Math.floor(performance.now() / SWING_MS) % 2 === 0 ? SHIFT_MS : -SHIFT_MS),
};

const asked = process.env.TURNUP_TEST_CLOCK ?? "";
const shiftMs = shifts[asked];
if (asked !== "" && !shiftMs)
  throw new Error(`TURNUP_TEST_CLOCK is none of ${Object.keys(shifts).join(", ")}`);

const SHIFTED = Symbol.for("turnup.shiftedClock");
const scope = globalThis as { [SHIFTED]?: true };
if (shiftMs && !scope[SHIFTED]) {
  scope[SHIFTED] = true; // files share their worker
  const Right = Date;
  const now = (): number => Right.now() + shiftMs();
  globalThis.Date = new Proxy(Right, {
    construct: (target, values, newTarget) =>
      Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
    apply: () => new Right(now()).toString(),
    get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
  });
}
