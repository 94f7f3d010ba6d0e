/** Start the server: a global set-up of `node --test`, Vitest and Jest. */
export function globalSetup(): Promise<typeof globalTeardown>;
/** Stop the server that `globalSetup` has started. */
export function globalTeardown(): Promise<void>;
export default globalSetup;
