/**
 * A benchmark answers one question with figures. A figure is measured in runs that alternate with its peers', so that a
 * slow moment of the machine meets all of them, and it is judged against an aim that was set before.
 */

/** What a median of ours must be: a number, or a multiple of the first peer's median of the same run. */
export type Aim =
  | { readonly kind: "at least"; readonly value: number }
  | { readonly kind: "at most"; readonly value: number }
  | { readonly kind: "times the peer"; readonly value: number };

export type Peer = {
  readonly name: string;
  /** One value a run; none where the peer could not be measured. */
  readonly values: readonly number[];
  /** Why it could not. */
  readonly missing?: string;
};

export type Figure = {
  /** What of the question it answers: `window 10`. */
  readonly what: string;
  readonly unit: string;
  /** One value a run. */
  readonly values: readonly number[];
  /** Others who use the machine change it little: what a unit takes of processor or memory, a rate at somebody else's pace. */
  readonly isSteady?: boolean;
  /** The aim and the ratio look at the first. */
  readonly peers: readonly Peer[];
  readonly aim?: Aim;
  /** What a reader has to know to judge it: latencies, shares, what was reconciled. */
  readonly note?: string;
};

export type Bench = {
  /** Alternations of ours and the peers'. */
  readonly runs: number;
  /** For trying a bench out: shorter runs, smaller loads; its figures are never written down. */
  readonly quick: boolean;
  /** A run of the question of phones. */
  readonly phones: number;
  /** Known pairs and past orders of the question of growth. */
  readonly pairs: number;
  readonly orders: number;
  /** Says what is being measured now. */
  readonly progress: (what: string) => void;
};

export type Question = {
  /** What `npm run bench -- NAME` calls it by. */
  readonly name: string;
  readonly asks: string;
  /** How it is measured, in a few sentences. */
  readonly how: string;
  /** What outlives a loss of power when it is answered, of ours and of each peer: rates of unlike promises are no contest. */
  readonly durability: string;
  /** Names of `versions` of the machine that matter here. */
  readonly uses: readonly string[];
  readonly measure: (bench: Bench) => Promise<readonly Figure[]>;
};

/** Cores that may be busy with something else without spoiling a rate. */
export const BUSY_CORES_MAX = 0.3;

/** What may be written down: of a machine that others used, what they change little. */
export const recorded = (figures: readonly Figure[], busyCores: number): readonly Figure[] =>
  busyCores <= BUSY_CORES_MAX
    ? figures
    : figures.map((figure) =>
        figure.isSteady ? figure : { ...figure, values: [], peers: [], note: "others used the machine" },
      );

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return sorted.length === 0 ? Number.NaN : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}

/** Values that a contestant gave, one a run. */
export type Contest = ReadonlyMap<string, readonly number[]>;

/** Runs each contestant once a round, so that they alternate; a round before the first warms up where that is wanted. */
export async function alternate(
  bench: Bench,
  contestants: Readonly<Record<string, () => number | Promise<number>>>,
  { warmUp = false }: { readonly warmUp?: boolean } = {},
): Promise<Contest> {
  const taken = new Map<string, number[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let round = warmUp ? 0 : 1; round <= bench.runs; round++) {
    for (const [name, run] of Object.entries(contestants)) {
      bench.progress(round === 0 ? `${name}: warming up` : `${name}: run ${round} of ${bench.runs}`);
      const value = await run();
      if (round > 0) taken.get(name)?.push(value);
    }
  }
  return taken;
}

/** Ours over the first peer's: above 1 is more of what is counted. */
export function ratioOf({ values, peers }: Figure): number | undefined {
  const [peer] = peers;
  if (!peer || peer.values.length === 0) return undefined;
  return median(values) / median(peer.values);
}

/** Undefined where there is no aim, or its peer was not measured. */
export function isMet(figure: Figure): boolean | undefined {
  const { aim, values } = figure;
  switch (aim?.kind) {
    case undefined:
      return undefined;
    case "at least":
      return median(values) >= aim.value;
    case "at most":
      return median(values) <= aim.value;
    case "times the peer": {
      const ratio = ratioOf(figure);
      return ratio === undefined ? undefined : ratio >= aim.value;
    }
  }
}
