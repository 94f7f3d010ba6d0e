/** The server of all tests of this process: that at HAILUO_MOCK_URL, or one that is started. */
export function sharedServer(): Promise<import("./server.js").Server>;
/**
 * A world that no other test sees. It is dropped after the test; if the test has failed, its
 * requests and credits are printed. A test has the same seed in each run.
 *
 * @param {TestContext} test the context of `node:test` or of Vitest
 * @param {WorldPlan} [plan]
 */
export function worldFor(test: TestContext, plan?: WorldPlan): Promise<import("./world.js").World>;
/**
 * The same with hooks, for Jest and others: a function that returns the world of the test
 * that runs.
 *
 * @param {{ beforeEach: (hook: any) => void, afterEach: (hook: any) => void }} hooks of the runner
 * @param {WorldPlan} [plan]
 * @returns {() => World}
 */
export function useWorld({ beforeEach, afterEach }: {
    beforeEach: (hook: any) => void;
    afterEach: (hook: any) => void;
}, plan?: WorldPlan): () => World;
export type World = import("./world.js").World;
export type WorldPlan = import("./server.js").WorldPlan;
/**
 * What a runner hands to a test: `after` is of `node:test`, `onTestFinished` of Vitest. The other
 * members are used if they are there: the name, and whether the test has failed.
 */
export type TestContext = {
    after?: (callback: () => Promise<void>) => void;
    onTestFinished?: (callback: () => Promise<void>) => void;
    name?: string;
    fullName?: string;
    passed?: boolean;
    task?: {
        name: string;
        result?: {
            state?: string;
        } | undefined;
    };
};
