/** Where the parts are that show the API's description in a browser: in the release beside the program, in a checkout with its libraries. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { packageFolder } from "../../store/dataset/folder.ts";

/** Undefined in a checkout whose development libraries are not installed: the page is then not there. */
export function apiDocsFolder(): string | undefined {
  const built = join(packageFolder(), "dist", "api-docs");
  if (existsSync(built)) return built;
  try {
    const require = createRequire(join(packageFolder(), "package.json"));
    return dirname(require.resolve("swagger-ui-dist/package.json"));
  } catch {
    return undefined;
  }
}
