export function bundleProgram(
  folder: string,
  options?: { readonly sourcemap?: boolean; readonly inside?: readonly string[] },
): Promise<void>;
export function bundleOfCheckout(): Promise<string>;
