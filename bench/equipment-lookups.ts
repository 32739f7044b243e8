/** Looks handsets up in a sorted file of statuses, in a process of its own: `PATH COUNT SEED` to one line of JSON. */
import { openStatusFile } from "../src/store/equipment/status-file.ts";
import { handsetAt, numberOf } from "./equipment-rows.ts";

const [path = "", handsets = "0", lookups = "0"] = process.argv.slice(2);
const before = process.memoryUsage().rss;
const file = openStatusFile(path, { name: "bench", priority: 1 });
const count = Number(lookups);
const micros = new Float64Array(count);
/** Handsets that are there and such that are not, in turn, all over the file. */
const imeis = Array.from({ length: 1_024 }, () => "");
let found = 0;
for (let pass = 0; pass < 2; pass++)
  for (let at = 0; at < count; ) {
    for (let one = 0; one < imeis.length; one++) {
      const handset = handsetAt(numberOf((at + one) * 2_654_435_761, Number(handsets)));
      imeis[one] = String(handset + (one % 2)).padStart(14, "0");
    }
    for (let one = 0; one < imeis.length && at < count; one++, at++) {
      const began = process.hrtime.bigint();
      if (file.find({ imei: imeis[one] ?? "" })) found++;
      micros[at] = Number(process.hrtime.bigint() - began) / 1_000;
    }
  }
micros.sort();
const share = (part: number): number => micros[Math.floor(count * part)] ?? Number.NaN;
const rss = process.memoryUsage().rss;
process.stdout.write(
  `${JSON.stringify({ p50: share(0.5), p99: share(0.99), max: micros.at(-1), rss, taken: rss - before, found })}\n`,
);
