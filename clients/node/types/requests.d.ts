/** @typedef {import("./door.js").QueryOf<"get", typeof REQUESTS>} Filters */
/** @typedef {import("./door.js").QueryOf<"get", typeof WAIT>} Wait */
/** Reads the requests of a world, verifies them, and waits for what happens. */
export class RequestCalls {
    /**
     * @param {import("./door.js").Door} door calls to any route of `/_mock/control.json`, with the
     *   `{world}` of its path filled in
     */
    constructor(door: import("./door.js").Door);
    door: import("./door.js").Door;
    /**
     * The requests in the journal, the oldest first.
     *
     * @param {Filters} [filters]
     * @param {Options} [options]
     */
    requests(filters?: Filters, options?: Options): Promise<{
        id: string;
        at: string;
        ended_at: string | null;
        method: string;
        path: string;
        query: string;
        api: ("acedata" | "rivya") | null;
        operation: string | null;
        account: string | null;
        task: string | null;
        request: import("../types/control.js").components["schemas"]["Recorded"];
        status: number | null;
        answer: import("../types/control.js").components["schemas"]["Recorded"] | null;
        refusal: string | null;
        scenario: string | null;
        channel: string | null;
        faults: string[];
        without: string | null;
        replay_of: string | null;
        ignored: import("../types/control.js").components["schemas"]["IgnoredField"][];
        ended_by: ("answered" | "caller_left" | "reset_by_fault" | "server_stopped") | null;
        sent_bytes: number;
        connection: number | null;
        wall_at: string | null;
        ended_wall_at: string | null;
        origin: "api" | "media";
    }[]>;
    /**
     * The requests in the journal, and the number of deleted ones.
     *
     * @param {Filters} [filters]
     * @param {Options} [options]
     */
    journal(filters?: Filters, options?: Options): Promise<{
        requests: import("../types/control.js").components["schemas"]["Exchange"][];
        evicted: number;
        note?: string | null;
    }>;
    /**
     * The journal as a document for other tools.
     *
     * @param {"har" | "ndjson"} format
     * @param {Filters} [filters]
     * @param {Options} [options]
     */
    export(format: "har" | "ndjson", filters?: Filters, options?: Options): Promise<string>;
    /**
     * Delete the requests that have been answered.
     *
     * @param {Options} [options]
     */
    clearRequests(options?: Options): Promise<void>;
    /**
     * Assert that such requests came: `{ match: { operation: "create" }, count: 1 }`, or in an order.
     * Throws AssertionError with what was found and the nearest requests, also if the result depends
     * on requests that are no longer kept.
     *
     * @param {import("./door.js").BodyOf<"post", typeof VERIFY>} body
     * @param {Options} [options]
     */
    verify(body: import("./door.js").BodyOf<"post", typeof VERIFY>, options?: Options): Promise<{
        verified: boolean | null;
        said: string;
        requests: string[];
        near_misses: import("../types/control.js").components["schemas"]["NearMiss"][];
    }>;
    /**
     * The first such request, as soon as it has been answered.
     *
     * timeout_s: real seconds, at most 60. Throws ControlError: status 408 with what came instead if
     * the time runs out, 409 at once if it can no longer happen.
     *
     * @param {Omit<Wait, "state" | "delivery" | "delivery_id">} [filters]
     * @param {Options} [options]
     */
    waitForRequest(filters?: Omit<Wait, "state" | "delivery" | "delivery_id">, options?: Options): Promise<{
        id: string;
        at: string;
        ended_at: string | null;
        method: string;
        path: string;
        query: string;
        api: ("acedata" | "rivya") | null;
        operation: string | null;
        account: string | null;
        task: string | null;
        request: import("../types/control.js").components["schemas"]["Recorded"];
        status: number | null;
        answer: import("../types/control.js").components["schemas"]["Recorded"] | null;
        refusal: string | null;
        scenario: string | null;
        channel: string | null;
        faults: string[];
        without: string | null;
        replay_of: string | null;
        ignored: import("../types/control.js").components["schemas"]["IgnoredField"][];
        ended_by: ("answered" | "caller_left" | "reset_by_fault" | "server_stopped") | null;
        sent_bytes: number;
        connection: number | null;
        wall_at: string | null;
        ended_wall_at: string | null;
        origin: "api" | "media";
    }>;
    /**
     * The task, as soon as it has reached this state. A frozen clock must be moved meanwhile.
     * Throws as `waitForRequest` does.
     *
     * @param {string} task
     * @param {Pick<Wait, "state" | "timeout_s">} [what]
     * @param {Options} [options]
     */
    waitForTask(task: string, { state, timeout_s }?: Pick<Wait, "state" | "timeout_s">, options?: Options): Promise<{
        id: string;
        api: "acedata" | "rivya";
        account: string;
        model: string;
        state: "failed" | "processing" | "queued" | "succeeded";
        price_credits: number;
        created_at: string;
        taken_up_at: string;
        ends_at: string | null;
        request: Record<string, unknown>;
        reason: ("bad_input" | "moderation" | "timeout" | "upstream_outage") | null;
        expires_at: string | null;
        media_expires_at: string | null;
    }>;
    /**
     * A delivery about this task, or about any, as soon as one has this outcome.
     * Throws as `waitForRequest` does.
     *
     * @param {Pick<Wait, "task" | "delivery_id" | "delivery" | "timeout_s">} [what]
     * @param {Options} [options]
     */
    waitForDelivery({ delivery, ...what }?: Pick<Wait, "task" | "delivery_id" | "delivery" | "timeout_s">, options?: Options): Promise<{
        id: string;
        state: string;
        url: string;
        endpoint: string | null;
        event: import("../types/control.js").components["schemas"]["Event"];
        fault: Record<string, unknown> | null;
        created_at: string;
        next_attempt_at: string | null;
        given_up: string | null;
        attempts: import("../types/control.js").components["schemas"]["Attempt"][];
    }>;
    /**
     * What happened in the world after the `cursor` of an earlier answer, in order; without one, all
     * that is kept. timeout_s: real seconds to wait, at most 60, if there is nothing new.
     *
     * @param {import("./door.js").QueryOf<"get", typeof CHANGES>} [query]
     * @param {Options} [options]
     */
    changes(query?: import("./door.js").QueryOf<"get", typeof CHANGES>, options?: Options): Promise<{
        cursor: string;
        missed: number;
        more: boolean;
        changes: (import("../types/control.js").components["schemas"]["StoryRequestStarted"] | import("../types/control.js").components["schemas"]["StoryRequest"] | import("../types/control.js").components["schemas"]["StoryDownload"] | import("../types/control.js").components["schemas"]["StoryLedgerRow"] | import("../types/control.js").components["schemas"]["StoryState"] | import("../types/control.js").components["schemas"]["StoryDelivery"] | import("../types/control.js").components["schemas"]["StoryAttempt"] | import("../types/control.js").components["schemas"]["StoryClockMove"] | import("../types/control.js").components["schemas"]["StoryFault"])[];
    }>;
    #private;
}
export type Options = import("./door.js").Options;
export type Schemas = import("./door.js").Schemas;
export type Filters = import("./door.js").QueryOf<"get", typeof REQUESTS>;
export type Wait = import("./door.js").QueryOf<"get", typeof WAIT>;
declare const VERIFY: "/_mock/worlds/{world}/requests/verify";
declare const CHANGES: "/_mock/worlds/{world}/changes";
/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").Schemas} Schemas */
declare const REQUESTS: "/_mock/worlds/{world}/requests";
declare const WAIT: "/_mock/worlds/{world}/wait";
export {};
