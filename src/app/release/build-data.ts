/**
 * `npm run build:data`: writes anew what of data/ follows from the rest of it. That is data/apn-doubtful.csv: the rows of the
 * access point sets whose message centre or proxy is another country's or brand's, each with its reason; the rule is
 * `kernel/settings/doubt.ts`. To be run after a set, the list of networks or the rule changed; a test holds the file to it.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { doubtfulCsv } from "../../store/dataset/doubtful-rows.ts";
import { shippedDataFolder } from "../../store/dataset/folder.ts";

const text = doubtfulCsv();
writeFileSync(join(shippedDataFolder(), "apn-doubtful.csv"), text);
process.stdout.write(`data/apn-doubtful.csv: ${text.split("\n").length - 2} rows\n`);
