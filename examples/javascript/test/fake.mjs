/** A world of the fake for each test, and what these tests need beside it. */

import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

// In a project that has installed it: from "hailuo-mock".
import { worldFor } from "../../../clients/node/src/index.js";

/** A world with a frozen clock, unless the plan has another. */
export function makeWorld(test, plan) {
  return worldFor(test, { clock: { mode: "frozen" }, ...plan });
}

/** A world, and the client of `make(world, sleep)`: its sleep advances the clock of the world. */
export async function clientIn(test, plan, make) {
  const world = await makeWorld(test, plan);
  const sleep = (seconds) => world.clock.advance(seconds);
  return { world, client: make(world, sleep) };
}

/** The credits of all orders of an account so far, reserved or spent. */
export async function charged(world, account) {
  const { granted, available } = await world.credits(account);
  return granted - available;
}

/** Start a receiver on a free port; its URL. */
export async function receive(test, listener) {
  const receiver = createServer(listener);
  await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
  test.after(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  return `http://127.0.0.1:${receiver.address().port}/hook`;
}

/** A URL where no server listens. */
export async function unusedUrl() {
  const gone = createServer();
  await new Promise((listening) => gone.listen(0, "127.0.0.1", listening));
  const { port } = gone.address();
  await new Promise((closed) => gone.close(closed));
  return `http://127.0.0.1:${port}`;
}

/** A path in a folder that is removed after the test. */
export async function fileFor(test, name) {
  const folder = await mkdtemp(join(tmpdir(), "hailuo-"));
  test.after(() => rm(folder, { recursive: true }));
  return join(folder, name);
}
