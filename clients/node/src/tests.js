/** A world for each test, with any test runner. */

import { createHash } from "node:crypto";

import { startOrAttach } from "./server.js";

/** @typedef {import("./world.js").World} World */
/** @typedef {import("./server.js").WorldPlan} WorldPlan */

/**
 * What a runner hands to a test: `after` is of `node:test`, `onTestFinished` of Vitest. The other
 * members are used if they are there: the name, and whether the test has failed.
 *
 * @typedef {{
 *   after?: (callback: () => Promise<void>) => void,
 *   onTestFinished?: (callback: () => Promise<void>) => void,
 *   name?: string,
 *   fullName?: string,
 *   passed?: boolean,
 *   task?: { name: string, result?: { state?: string } | undefined },
 * }} TestContext
 */

/** @type {ReturnType<typeof startOrAttach> | undefined} */
let shared;

/** The server of all tests of this process: that at HAILUO_MOCK_URL, or one that is started. */
export function sharedServer() {
  shared ??= startOrAttach();
  return shared;
}

/**
 * A world that no other test sees. It is dropped after the test; if the test has failed, its
 * requests and credits are printed. A test has the same seed in each run.
 *
 * @param {TestContext} test the context of `node:test` or of Vitest
 * @param {WorldPlan} [plan]
 */
export async function worldFor(test, plan) {
  const world = await makeWorld(test, plan);
  const end = () => endWorld(world, test);
  if (test.after) test.after(end);
  else if (test.onTestFinished) test.onTestFinished(end);
  else throw new TypeError("worldFor needs the context of a test of node:test or Vitest; see useWorld");
  return world;
}

/**
 * The same with hooks, for Jest and others: a function that returns the world of the test
 * that runs.
 *
 * @param {{ beforeEach: (hook: any) => void, afterEach: (hook: any) => void }} hooks of the runner
 * @param {WorldPlan} [plan]
 * @returns {() => World}
 */
export function useWorld({ beforeEach, afterEach }, plan) {
  /** @type {World | undefined} */
  let world;
  // Without a named parameter, so that Jest does not wait for a call of `done`.
  beforeEach(async (/** @type {unknown[]} */ ...given) => {
    world = await makeWorld(contextOf(given[0]), plan);
  });
  afterEach(async (/** @type {unknown[]} */ ...given) => {
    const ended = world;
    world = undefined;
    if (ended) await endWorld(ended, contextOf(given[0]));
  });
  return () => {
    if (!world) throw new Error("there is a world only while a test runs");
    return world;
  };
}

/**
 * @param {TestContext} test
 * @param {WorldPlan} [plan]
 */
async function makeWorld(test, plan) {
  const name = test.fullName ?? test.name ?? test.task?.name ?? jestTestName();
  const seed = name && createHash("sha256").update(name).digest().readUIntBE(0, 6);
  return (await sharedServer()).world({ ...(seed && { seed }), ...plan });
}

/**
 * @param {World} world
 * @param {TestContext} test
 */
async function endWorld(world, test) {
  try {
    if (test.passed === false || test.task?.result?.state === "fail") {
      console.error(await world.report());
    }
    await world.drop();
  } catch (error) {
    // The test may have dropped it.
    if (/** @type {import("./door.js").ControlError} */ (error).status !== 404) throw error;
  }
}

/**
 * @param {unknown} given what a hook gets
 * @returns {TestContext}
 */
function contextOf(given) {
  return typeof given === "object" && given !== null ? given : {};
}

/** @returns {string | undefined} */
function jestTestName() {
  const { expect } = /** @type {{ expect?: any }} */ (globalThis);
  return expect?.getState?.().currentTestName;
}
