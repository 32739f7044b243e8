// Loaded before a program (`node --import`): its wall clock is off by SHIFT_CLOCK_MS; the monotonic clock is as it is.
const shiftMs = Number(process.env.SHIFT_CLOCK_MS ?? 0);
const Right = Date;
const now = () => Right.now() + shiftMs;
globalThis.Date = new Proxy(Right, {
  construct: (target, values, newTarget) =>
    Reflect.construct(target, values.length === 0 ? [now()] : values, newTarget),
  get: (target, name, receiver) => (name === "now" ? now : Reflect.get(target, name, receiver)),
});
