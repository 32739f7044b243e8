/** Types of `bundle.js`: one program of all sources, as a checkout starts with and the release build makes. */
export function bundleProgram(
  folder: string,
  options?: { readonly sourcemap?: boolean; readonly inside?: readonly string[] },
): Promise<void>;
export function bundleOfCheckout(): Promise<string>;
