/**
 * How fast submits leave: a token bucket under the operator's limit, and under it a limit that follows the centre.
 *
 * ESME_RTHROTTLED and ESME_RMSGQFUL mean overload only where slowing down makes them fewer. Some centres refuse a part of all
 * messages whatever the rate is; whoever slows down for those ends at a message a second. So the answers of each second are
 * weighed against the part that was refused while we were surely slow enough (the baseline): what is refused above it is
 * added up until it is more than chance, and then the rate falls by just that part. Between such falls it rises: fast where
 * the centre has kept up before, slowly around the rate at which it last did not, and fast again beyond. Now and then, while
 * anything is refused, a second goes by at a lower rate, to measure the baseline anew. Where far below the first of several falls
 * no smaller part is refused, such a second decides whether they are undone: the baseline may have been too low by chance.
 */

const MIN_RATE_PER_SECOND = 0.5;
/** What may leave at once after a pause: the tokens of this long. */
const BURST_S = 0.05;
/** Without any limit known: what may leave before the first answers, and what each message taken adds. */
const FIRST_CREDIT = 10;
const CREDIT_FOR_TAKEN = 1.5;
/** A limit below this needs no slow beginning: it lets few leave at once. */
const GENTLE_RATE = 400;
/** After the first refusal of all: a centre that counts by the second has forgotten the first burst then. */
const FIRST_PAUSE_MS = 1_000;
const FIRST_RATE = 20;
/** Of what was taken, at first: surely slow enough to see what is refused at any rate. */
const FIRST_PART = 0.75;
const FIRST_JUDGED_MS = 2_500;

const JUDGED_EVERY_MS = 1_000;
/** While the limit is sought. */
const SOUGHT_EVERY_MS = 700;
const PATIENCE_MS = 5_000;
const ANSWERS_MIN = 10;
const SEEKING_GROWTH = 1.5;
/** Answers of the baseline below which a fall may have been chance. */
const SURE_ANSWERS = 40;
const FAST_GROWTH = 1.15;
const SLOW_GROWTH = 1.01;
const BEYOND_GROWTH = 1.025;
/** Seconds around that rate in which nothing is amiss, after which growth is doubled from one to the next. */
const SLOW_FOR = 3;
/** Of the rate at which the centre last did not keep up: below it growth is fast, and what is refused is no overload. */
const SURELY_BELOW = 0.85;
const NEAR_BELOW = 0.9;
/** At once by no more than this, since some of it may be chance. */
const DEEPEST_CUT = 0.5;
const DEEPEST_CUT_AT_FIRST = 0.95;
/** Nearly all of so many answers: while the limit is sought, no more of them need be waited for. */
const HOPELESS = { answers: 10, part: 0.7 } as const;

/** Standard deviations that count as chance. */
const CHANCE = 3;
const CHANCE_WHILE_SEEKING = 3.5;
/** Of the baseline, and of all: what is not added up. */
const SLACK_PART = 0.14;
/** Answers of either kind that the baseline is thought to have missed: of few answers little is believed. */
const UNSEEN = 2;
/**
 * At a few messages a second each answer says much and there are few of them: what is refused is believed sooner, and the rate
 * rises by small steps, since one step too far is a message refused in each second until it is judged.
 */
const LOW_RATE = 12;
const LOW = {
  unseen: 0.5,
  slack: 0.1,
  chance: 1.5,
  growth: 1.08,
  answersMin: 8,
  patienceMs: 8_000,
  beyond: 1.12,
} as const;
/** A centre that refuses more than this at any rate is overloaded at any rate. */
const BASELINE_MAX = 0.3;
/**
 * So far below where falls began, of so many answers so much of the part that was refused there is hardly overload: at a limit it
 * is two thirds at most. `fewer`: slowing down helped.
 */
const SLOWER = { below: 0.8, answers: 40, part: 0.8, partMin: 0.1, fewer: 0.6 } as const;
/** Answers that the baseline remembers. */
const BASELINE_ANSWERS = 400;
const PROBE_EVERY_MS = 15_000;
const PROBE_PART = 0.6;
const PROBE_ANSWERS = 40;
/** Refused at the rate of a probe: less is the edge of a second. */
const PROBE_PART_MIN = 0.06;

/** Falls that perhaps were none of the rate's doing: where they began, and what was answered since the last of them. */
type Doubt = { readonly limit: number; readonly answers: number; readonly refused: number };
type Probe = { readonly limitBefore: number; readonly doubted: Doubt | undefined };

export class Pace {
  readonly #ceiling: number;
  #limit: number;
  #tokens: number;
  #credit: number;
  #refilledAt: number;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #isSeeking = false;
  /** It once refused more than half of what is sent at a modest rate. */
  #wasDeep = false;
  /** The rate at which the centre last did not keep up. */
  #knee = Number.POSITIVE_INFINITY;
  #growth = SLOW_GROWTH;
  #quiet = 0;
  /** Where the falls began, and which part was refused there. */
  #fallen: { readonly limit: number; readonly part: number } | undefined;
  #sinceFall = { answers: 0, refused: 0 };
  /** Refused above the baseline, and not by chance alone. */
  #excess = 0;
  #baseline = { answers: 0, refused: 0 };
  #probe: Probe | undefined;
  #probedAt = Number.NEGATIVE_INFINITY;
  #refusedSinceProbe = 0;
  /** Since when answers are counted: to messages that left since. */
  #since: number;
  #answers = 0;
  #refused = 0;
  #left = 0;
  /** Taken in the second before, while no limit is known. */
  #takenBefore = 0;

  /** `ratePerSecond` Infinity: no limit but the centre's. */
  constructor(ratePerSecond: number, now: number) {
    this.#ceiling = ratePerSecond;
    this.#limit = ratePerSecond;
    this.#credit = ratePerSecond > GENTLE_RATE ? FIRST_CREDIT : Number.POSITIVE_INFINITY;
    this.#tokens = this.#capacity();
    this.#refilledAt = now;
    this.#since = now;
  }

  get ratePerSecond(): number {
    return this.#limit;
  }

  /** May one message leave now? If so it is counted. */
  take(now: number): boolean {
    if (now < this.#pausedUntil || this.#credit < 1) return false;
    this.#judge(now);
    if (this.#limit !== Number.POSITIVE_INFINITY) {
      this.#refill(now);
      if (this.#tokens < 1) return false;
      this.#tokens -= 1;
    }
    this.#credit -= 1;
    this.#left += 1;
    return true;
  }

  /** How long until take() may say yes; where answers are waited for, until it is worth asking again. */
  waitMs(now: number): number {
    const paused = this.#pausedUntil - now;
    if (paused > 0) return paused;
    if (this.#credit < 1) return JUDGED_EVERY_MS;
    return Math.max(0, ((1 - this.#tokens) / this.#limit) * 1000);
  }

  /** The centre said "too fast" to a message sent at `sentAt`. */
  congested(now: number, sentAt: number): void {
    if (this.#knee === Number.POSITIVE_INFINITY && !this.#isSeeking) {
      this.#seek(now);
      return;
    }
    if (sentAt < this.#since) return;
    this.#answers += 1;
    this.#refused += 1;
    this.#refusedSinceProbe += 1;
    this.#judge(now);
  }

  /** A message sent at `sentAt` was taken. */
  accepted(sentAt: number): void {
    this.#credit += CREDIT_FOR_TAKEN;
    if (sentAt >= this.#since) this.#answers += 1;
  }

  /** Called now and then, so that time passes where nothing leaves. */
  tick(now: number): void {
    // Answers that never come give no credit back.
    if (this.#credit < FIRST_CREDIT) this.#credit = FIRST_CREDIT;
    this.#judge(now);
  }

  /** From the first refusal on there is a limit, which is sought from what is known to be taken. */
  #seek(now: number): void {
    const known = Math.max(FIRST_RATE, this.#takenBefore, this.#answers);
    this.#isSeeking = true;
    this.#credit = Number.POSITIVE_INFINITY;
    this.#pausedUntil = now + FIRST_PAUSE_MS;
    this.#setLimit(Math.min(this.#limit, known) * FIRST_PART, this.#pausedUntil);
  }

  #judge(now: number): void {
    const elapsed = now - this.#since;
    if (elapsed < this.#judgedEveryMs() && !this.#isHopeless()) return;
    if (this.#limit === Number.POSITIVE_INFINITY || (!this.#isSeeking && this.#isUntroubled())) {
      this.#takenBefore = Math.round((this.#answers / elapsed) * 1_000);
      this.#count(now);
      return;
    }
    const [answersMin, patienceMs] = this.#isLow()
      ? [LOW.answersMin, LOW.patienceMs]
      : [ANSWERS_MIN, PATIENCE_MS];
    if (this.#answers < answersMin && elapsed < patienceMs) return;
    if (this.#probe && this.#answers < PROBE_ANSWERS && elapsed < PATIENCE_MS) return;
    if (this.#answers > 0) this.#learn(now, elapsed);
    else this.#count(now);
  }

  #isHopeless(): boolean {
    if (!this.#isSeeking || this.#baseline.answers > 0) return false;
    return this.#answers >= HOPELESS.answers && this.#refused >= HOPELESS.part * this.#answers;
  }

  #judgedEveryMs(): number {
    if (!this.#isSeeking) return JUDGED_EVERY_MS;
    return this.#baseline.answers === 0 ? FIRST_JUDGED_MS : SOUGHT_EVERY_MS;
  }

  /** The operator's limit is kept and nothing was ever refused. */
  #isUntroubled(): boolean {
    return this.#knee === Number.POSITIVE_INFINITY;
  }

  #learn(now: number, elapsed: number): void {
    const [answers, refused] = [this.#answers, this.#refused];
    if (this.#probe) {
      this.#endProbe(this.#probe, answers, refused, now);
      return;
    }
    this.#sinceFall.answers += answers;
    this.#sinceFall.refused += refused;
    if (this.#isMoreThanChance(answers, refused)) {
      const doubted = this.#doubtedFall();
      // Nearly all of the first that are judged is no chance: the limit is found, and it is low.
      const isDeep = this.#isHopeless();
      this.#wasDeep ||= isDeep;
      const cut = Math.min(isDeep ? DEEPEST_CUT_AT_FIRST : DEEPEST_CUT, this.#excess / answers);
      this.#isSeeking = this.#isSeeking && this.#baseline.answers < SURE_ANSWERS && !isDeep;
      this.#growth = SLOW_GROWTH;
      this.#quiet = 0;
      this.#excess = 0;
      this.#knee = this.#limit * (1 - cut);
      this.#setLimit(this.#limit * (1 - cut), now);
      if (doubted === undefined) this.#probeWhenDue(now);
      else this.#startProbe(now, doubted);
      return;
    }
    if (this.#baseline.answers === 0) this.#excess = 0;
    if (this.#isSeeking || this.#limit <= this.#knee * SURELY_BELOW) this.#addToBaseline(answers, refused);
    const wasUsed = this.#left >= 0.7 * this.#limit * (elapsed / 1_000);
    this.#setLimit(wasUsed ? this.#limit * this.#growthNow() : this.#limit, now);
    this.#probeWhenDue(now);
  }

  /**
   * The limit where the falls began, if far below it no smaller part is refused: perhaps it was none of the rate's doing, and the
   * baseline too low by chance.
   */
  #doubtedFall(): Doubt | undefined {
    const { answers, refused } = this.#sinceFall;
    const part = refused / answers;
    const before = this.#fallen;
    this.#sinceFall = { answers: 0, refused: 0 };
    const isTold = !this.#wasDeep && answers >= SLOWER.answers;
    const isFar = before !== undefined && this.#limit <= before.limit * SLOWER.below;
    const isSame = before !== undefined && part >= before.part * SLOWER.part;
    if (isTold && isFar && isSame && part >= SLOWER.partMin && part <= BASELINE_MAX)
      return { limit: before.limit, answers, refused };
    if (!before || this.#limit > before.limit || (isTold && part < before.part * SLOWER.fewer))
      this.#fallen = { limit: this.#limit, part };
    return undefined;
  }

  /** A second at a lower rate: what is refused then belongs to any rate, and to that of before where the fall from it is in doubt. */
  #endProbe({ limitBefore, doubted }: Probe, answers: number, refused: number, now: number): void {
    this.#probe = undefined;
    const part = refused / answers;
    const isNone = doubted !== undefined && part >= PROBE_PART_MIN && part <= BASELINE_MAX;
    if (isNone) {
      this.#fallen = undefined;
      this.#knee = doubted.limit;
      this.#baseline = { answers: doubted.answers, refused: doubted.refused };
    }
    this.#addToBaseline(answers, refused);
    this.#setLimit(isNone ? doubted.limit : limitBefore, now);
  }

  #startProbe(now: number, doubted?: Doubt): void {
    this.#probedAt = now;
    this.#refusedSinceProbe = 0;
    this.#probe = { limitBefore: this.#limit, doubted };
    this.#setLimit(this.#limit * PROBE_PART, now);
  }

  #isMoreThanChance(answers: number, refused: number): boolean {
    const { answers: known, refused: knownRefused } = this.#baseline;
    // Of a centre that was never seen at a lower rate, what is refused at first is believed, within reason.
    if (known === 0) {
      this.#excess = refused;
      return refused > BASELINE_MAX * answers;
    }
    const [unseen, slack] = this.#isLow() ? [LOW.unseen, LOW.slack] : [UNSEEN, SLACK_PART];
    const part = Math.min(BASELINE_MAX, (knownRefused + unseen) / (known + 2 * unseen));
    this.#excess = Math.max(0, this.#excess + refused - part * (1 + slack) * answers);
    const deviation = Math.sqrt(answers * part * (1 - part));
    const chance = this.#isLow() ? LOW.chance : this.#isSeeking ? CHANCE_WHILE_SEEKING : CHANCE;
    return this.#excess > 0.5 + chance * deviation;
  }

  #addToBaseline(answers: number, refused: number): void {
    const kept = Math.min(1, Math.max(0, BASELINE_ANSWERS - answers) / Math.max(1, this.#baseline.answers));
    this.#baseline = {
      answers: this.#baseline.answers * kept + answers,
      refused: this.#baseline.refused * kept + refused,
    };
  }

  #isLow(): boolean {
    return this.#wasDeep && this.#limit < LOW_RATE;
  }

  #growthNow(): number {
    // Beyond where the first falls began nothing is known of a limit any more.
    const isBeyond = this.#fallen !== undefined && this.#limit > this.#fallen.limit;
    if (this.#isSeeking)
      return this.#knee === Number.POSITIVE_INFINITY || isBeyond ? SEEKING_GROWTH : FAST_GROWTH;
    if (this.#limit < this.#knee * NEAR_BELOW) return this.#isLow() ? LOW.growth : FAST_GROWTH;
    this.#quiet += 1;
    if (this.#quiet <= SLOW_FOR) return SLOW_GROWTH;
    const most = this.#isLow() ? LOW.beyond : BEYOND_GROWTH;
    this.#growth = Math.min(most, 1 + (this.#growth - 1) * 2);
    return this.#growth;
  }

  /** Only while something is refused: else there is nothing to be told apart. */
  #probeWhenDue(now: number): void {
    if (this.#isSeeking || this.#refusedSinceProbe === 0 || now - this.#probedAt < PROBE_EVERY_MS) return;
    this.#startProbe(now);
  }

  #setLimit(limit: number, now: number): void {
    this.#limit = Math.min(this.#ceiling, Math.max(MIN_RATE_PER_SECOND, limit));
    this.#tokens = Math.min(this.#tokens, this.#capacity());
    this.#refilledAt = Math.max(this.#refilledAt, now);
    this.#count(now);
  }

  #count(now: number): void {
    this.#since = now;
    this.#answers = 0;
    this.#refused = 0;
    this.#left = 0;
  }

  #refill(now: number): void {
    const earned = (Math.max(0, now - this.#refilledAt) / 1000) * this.#limit;
    this.#tokens = Math.min(this.#capacity(), this.#tokens + earned);
    this.#refilledAt = Math.max(this.#refilledAt, now);
  }

  #capacity(): number {
    return Math.max(1, this.#limit * BURST_S);
  }
}
