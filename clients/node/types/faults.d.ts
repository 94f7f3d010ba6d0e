/**
 * The faults of a scenario, or one with an effect, and when they happen; or the name of a scenario.
 *
 * @typedef {import("./door.js").BodyOf<"post", typeof FAULTS> | string} FaultPlan
 */
/** Adds, reads and removes the faults of a world. */
export class Faults {
    /** @param {import("./door.js").Door} door of the world */
    constructor(door: import("./door.js").Door);
    /**
     * Add the faults of a scenario, or one with an effect. Returns them.
     *
     * @param {FaultPlan} plan
     * @param {Options} [options]
     */
    add(plan: FaultPlan, options?: Options): Promise<{
        id: string;
        scenario: string | null;
        effect: Record<string, unknown>;
        match: Record<string, unknown>;
        skip?: number;
        times?: number | null;
        every?: number;
        probability?: number;
        matched: number;
        happened: number;
    }[]>;
    /**
     * Every fault of the world, the oldest first, with its counts.
     *
     * @param {Options} [options]
     */
    list(options?: Options): Promise<{
        id: string;
        scenario: string | null;
        effect: Record<string, unknown>;
        match: Record<string, unknown>;
        skip?: number;
        times?: number | null;
        every?: number;
        probability?: number;
        matched: number;
        happened: number;
    }[]>;
    /**
     * Remove a fault. Returns it with its last counts.
     *
     * @param {string | Fault} fault
     * @param {Options} [options]
     */
    remove(fault: string | Fault, options?: Options): Promise<{
        id: string;
        scenario: string | null;
        effect: Record<string, unknown>;
        match: Record<string, unknown>;
        skip?: number;
        times?: number | null;
        every?: number;
        probability?: number;
        matched: number;
        happened: number;
    }>;
    /**
     * Remove every fault of the world.
     *
     * @param {Options} [options]
     */
    clear(options?: Options): Promise<void>;
    /**
     * Add faults, call a function with them, and remove them. Returns what the function returns.
     * Warns with FaultNeverHappened if none of them happened, unless `mustHappen` is false or the
     * function throws.
     *
     * @template T
     * @param {FaultPlan} plan
     * @param {(faults: Fault[]) => T | Promise<T>} block
     * @param {Options & { mustHappen?: boolean }} [options]
     * @returns {Promise<T>}
     */
    during<T>(plan: FaultPlan, block: (faults: Fault[]) => T | Promise<T>, { mustHappen, ...options }?: Options & {
        mustHappen?: boolean;
    }): Promise<T>;
    #private;
}
export type Options = import("./door.js").Options;
export type Fault = import("./door.js").Schemas["Fault"];
/**
 * The faults of a scenario, or one with an effect, and when they happen; or the name of a scenario.
 */
export type FaultPlan = import("./door.js").BodyOf<"post", typeof FAULTS> | string;
/** What goes wrong in a world. */
/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").Schemas["Fault"]} Fault */
declare const FAULTS: "/_mock/worlds/{world}/faults";
export {};
