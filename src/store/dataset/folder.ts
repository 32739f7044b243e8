/** Where this program is installed, found from the program itself: it works from any current folder. */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { TurnupError } from "../../term/error.ts";

let found: string | undefined;

/** The folder with package.json and data/: of the checkout, or of the installed package around a bundle. */
export function packageFolder(): string {
  for (let at = import.meta.dirname; found === undefined; at = dirname(at)) {
    if (existsSync(join(at, "package.json")) && existsSync(join(at, "bin/turnup.js"))) found = at;
    else if (at === dirname(at)) {
      throw new TurnupError(
        "dataset_missing",
        `There is no installation of Turnup around ${import.meta.dirname}.`,
        {
          nextStep: "Install the package again.",
        },
      );
    }
  }
  return found;
}

export const shippedDataFolder = (): string => join(packageFolder(), "data");
