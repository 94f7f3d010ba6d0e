/** Starts one server for all test files of a run, unless HAILUO_MOCK_URL names one. */

import { start } from "./server.js";

/** @type {import("./server.js").Server | undefined} */
let server;

/** Start the server: a global set-up of `node --test`, Vitest and Jest. */
export async function globalSetup() {
  if (!process.env.HAILUO_MOCK_URL?.trim()) {
    server = await start();
    process.env.HAILUO_MOCK_URL = server.url;
  }
  return globalTeardown; // Vitest calls it
}

/** Stop the server that `globalSetup` has started. */
export async function globalTeardown() {
  if (!server) return;
  delete process.env.HAILUO_MOCK_URL;
  await server.stop();
  server = undefined;
}

export default globalSetup;
