export function bundleProgram(folder: string, options?: { readonly sourcemap?: boolean }): Promise<void>;
export function bundleOfCheckout(): Promise<string>;
