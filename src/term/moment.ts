/** Moments so much before or after another: plain time, on no calendar (`calendar.ts` counts in days and months). */

export const hoursAfter = (time: Date, hours: number): Date => new Date(time.getTime() + hours * 3_600_000);

export const minutesAfter = (time: Date, minutes: number): Date =>
  new Date(time.getTime() + minutes * 60_000);

export const secondsAfter = (time: Date, seconds: number): Date => new Date(time.getTime() + seconds * 1_000);

export const earlierOf = (one: Date, other: Date): Date => (one < other ? one : other);
