/** Reads and moves the time of a world. */
export class Clock {
    /** @param {import("./door.js").Door} door of the world */
    constructor(door: import("./door.js").Door);
    /**
     * The world's time, its mode and its scale.
     *
     * @param {Options} [options]
     */
    get(options?: Options): Promise<{
        mode: "frozen" | "real";
        now: string;
        scale: number;
        signatures: "machine" | "world";
    }>;
    /**
     * The world's time in seconds since 1970.
     *
     * @param {Options} [options]
     */
    seconds(options?: Options): Promise<number>;
    /**
     * Stop the clock. It then moves only by `advance`, `untilIdle` and `change`.
     *
     * @param {Options} [options]
     */
    freeze(options?: Options): Promise<{
        mode: "frozen" | "real";
        now: string;
        scale: number;
        signatures: "machine" | "world";
    }>;
    /**
     * Let the clock run; with a scale of 60 a minute passes in a second.
     *
     * @param {number} [scale]
     * @param {Options} [options]
     */
    run(scale?: number, options?: Options): Promise<{
        mode: "frozen" | "real";
        now: string;
        scale: number;
        signatures: "machine" | "world";
    }>;
    /**
     * Change the mode, the scale, `now`, or the clock that dates signatures.
     *
     * @param {import("./door.js").BodyOf<"patch", typeof CLOCK>} body
     * @param {Options} [options]
     */
    change(body: import("./door.js").BodyOf<"patch", typeof CLOCK>, options?: Options): Promise<{
        mode: "frozen" | "real";
        now: string;
        scale: number;
        signatures: "machine" | "world";
    }>;
    /**
     * Move the clock forward. Returns all that was due, in order, when it has happened, answers of
     * receivers included.
     *
     * @param {number} seconds
     * @param {Options} [options]
     */
    advance(seconds: number, options?: Options): Promise<{
        at: string;
        what: string;
        subject: string;
        outcome: string;
    }[]>;
    /**
     * Move the clock forward until all that is due now, and what follows from it, has happened.
     * Returns as `advance` does.
     *
     * @param {Options} [options]
     */
    untilIdle(options?: Options): Promise<{
        at: string;
        what: string;
        subject: string;
        outcome: string;
    }[]>;
    /**
     * What comes next, in order; an advance to `at` makes it happen.
     *
     * @param {import("./door.js").QueryOf<"get", typeof DUE>} [query] only of a `task`, `limit`
     * @param {Options} [options]
     */
    due(query?: import("./door.js").QueryOf<"get", typeof DUE>, options?: Options): Promise<{
        at: string;
        what: string;
        subject: string;
        task?: string | null;
        state?: ("failed" | "processing" | "queued" | "succeeded") | null;
        attempt?: number | null;
    }[]>;
    #private;
}
export type Options = import("./door.js").Options;
/** The clock of a world. */
/** @typedef {import("./door.js").Options} Options */
declare const CLOCK: "/_mock/worlds/{world}/clock";
declare const DUE: "/_mock/worlds/{world}/due";
export {};
