/** @typedef {import("./door.js").BodyOf<"post", typeof JUDGEMENT>} Judging */
/**
 * One world. Its bodies and answers have the names of the control door.
 *
 * url: the base URL of all APIs in this world. plainUrl: of the server, where a request belongs to
 * the world of its key. mediaUrl: the start of the URLs of videos. clock: its time. faults: what
 * goes wrong in it.
 */
export class World extends RequestCalls {
    /**
     * @param {import("./door.js").Door} door of the server
     * @param {Schemas["WorldFacts"]} facts
     */
    constructor(door: import("./door.js").Door, facts: Schemas["WorldFacts"]);
    name: string;
    seed: number;
    keys: {
        key: string;
        api: string;
        account: string;
    }[];
    url: string;
    plainUrl: string;
    mediaUrl: string;
    clock: Clock;
    faults: Faults;
    /** A key of Rivya's. */
    get rivyaKey(): string;
    /** A token of Ace Data Cloud's. */
    get acedataToken(): string;
    /**
     * A key with all permissions at this API.
     *
     * @param {Api} api
     */
    keyOf(api: Api): string;
    /**
     * Every account, with its credits and keys.
     *
     * @param {Options} [options]
     */
    accounts(options?: Options): Promise<{
        name: string;
        credits: number;
        ledger: import("../types/control.js").components["schemas"]["Balance"];
        keys: import("../types/control.js").components["schemas"]["Key"][];
        in_flight: number | null;
    }[]>;
    /**
     * The credits of an account: granted = available + reserved + spent.
     *
     * @param {string} account
     * @param {Options} [options]
     */
    credits(account: string, options?: Options): Promise<{
        granted: number;
        available: number;
        reserved: number;
        spent: number;
    }>;
    /**
     * The movements of an account's credits, in the order in which they happened.
     *
     * @param {string} account
     * @param {import("./door.js").QueryOf<"get", typeof LEDGER>} [query]
     * @param {Options} [options]
     */
    ledger(account: string, query?: import("./door.js").QueryOf<"get", typeof LEDGER>, options?: Options): Promise<{
        account: string;
        opening: import("../types/control.js").components["schemas"]["Balance"];
        balance: import("../types/control.js").components["schemas"]["Balance"];
        rows: import("../types/control.js").components["schemas"]["LedgerRow"][];
        evicted: number;
    }>;
    /**
     * @param {import("./door.js").BodyOf<"post", typeof ACCOUNTS>} body
     * @param {Options} [options]
     */
    makeAccount(body: import("./door.js").BodyOf<"post", typeof ACCOUNTS>, options?: Options): Promise<{
        name: string;
        credits: number;
        ledger: import("../types/control.js").components["schemas"]["Balance"];
        keys: import("../types/control.js").components["schemas"]["Key"][];
        in_flight: number | null;
    }>;
    /**
     * Set the credits that an account can spend, or issue and replace keys.
     *
     * @param {string} account
     * @param {import("./door.js").BodyOf<"patch", typeof ACCOUNT>} body
     * @param {Options} [options]
     */
    changeAccount(account: string, body: import("./door.js").BodyOf<"patch", typeof ACCOUNT>, options?: Options): Promise<{
        name: string;
        credits: number;
        ledger: import("../types/control.js").components["schemas"]["Balance"];
        keys: import("../types/control.js").components["schemas"]["Key"][];
        in_flight: number | null;
    }>;
    /**
     * Every task of all APIs, the oldest first.
     *
     * @param {Options} [options]
     */
    tasks(options?: Options): Promise<{
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
    }[]>;
    /**
     * One task, as it is now.
     *
     * @param {string} task_id
     * @param {Options} [options]
     */
    task(task_id: string, options?: Options): Promise<{
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
     * End a task now: credits are settled, held requests answered, and callbacks are due.
     *
     * @param {string} task_id
     * @param {import("./door.js").BodyOf<"post", "/_mock/worlds/{world}/tasks/{task_id}/finish">} [body]
     * @param {Options} [options]
     */
    finish(task_id: string, body?: import("./door.js").BodyOf<"post", "/_mock/worlds/{world}/tasks/{task_id}/finish">, options?: Options): Promise<{
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
     * All that happened to a task, in order: requests, credits, states, attempts, faults.
     *
     * @param {string} task_id
     * @param {import("./door.js").QueryOf<"get", typeof STORY>} [query]
     * @param {Options} [options]
     */
    story(task_id: string, query?: import("./door.js").QueryOf<"get", typeof STORY>, options?: Options): Promise<{
        task: string;
        entries: (import("../types/control.js").components["schemas"]["StoryRequest"] | import("../types/control.js").components["schemas"]["StoryDownload"] | import("../types/control.js").components["schemas"]["StoryLedgerRow"] | import("../types/control.js").components["schemas"]["StoryState"] | import("../types/control.js").components["schemas"]["StoryDelivery"] | import("../types/control.js").components["schemas"]["StoryAttempt"] | import("../types/control.js").components["schemas"]["StoryClockMove"] | import("../types/control.js").components["schemas"]["StoryFault"] | import("../types/control.js").components["schemas"]["StoryLooks"] | import("../types/control.js").components["schemas"]["StoryTwin"] | import("../types/control.js").components["schemas"]["StoryNoDelivery"])[];
        not_kept: number;
        clock_moves_evicted: number;
    }>;
    /**
     * Every callback and webhook, sent or still to be sent, the oldest first.
     *
     * @param {Options} [options]
     */
    deliveries(options?: Options): Promise<{
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
    }[]>;
    /**
     * Make one more attempt at a delivery, due now.
     *
     * @param {string} delivery_id
     * @param {Options} [options]
     */
    redeliver(delivery_id: string, options?: Options): Promise<{
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
     * The signed request of a task's end that would be sent now; nothing is sent. Its bytes:
     * `Buffer.from(request.body_base64, "base64")`.
     *
     * @param {string} task_id
     * @param {import("./door.js").QueryOf<"get", "/_mock/worlds/{world}/tasks/{task_id}/signed_request">} [query]
     * @param {Options} [options]
     */
    signedRequest(task_id: string, query?: import("./door.js").QueryOf<"get", "/_mock/worlds/{world}/tasks/{task_id}/signed_request">, options?: Options): Promise<{
        method: string;
        url: string;
        headers: [string, string][];
        body: string;
        body_base64: string;
    }>;
    /**
     * A receiver inside the server, by any name.
     *
     * @param {string} name
     */
    inbox(name: string): Inbox;
    /**
     * Add faults, call a function, and remove them: `Faults.during`.
     *
     * @template T
     * @param {import("./faults.js").FaultPlan} plan
     * @param {(faults: import("./faults.js").Fault[]) => T | Promise<T>} block
     * @param {Options & { mustHappen?: boolean }} [options]
     */
    withFault<T>(plan: import("./faults.js").FaultPlan, block: (faults: import("./faults.js").Fault[]) => T | Promise<T>, options?: Options & {
        mustHappen?: boolean;
    }): Promise<T>;
    /**
     * What the client did wrong in this world, with the evidence. Nothing changes.
     *
     * @param {Judging} [body]
     * @param {Options} [options]
     */
    judge(body?: Judging, options?: Options): Promise<{
        findings: import("../types/control.js").components["schemas"]["Finding"][];
        notes: import("../types/control.js").components["schemas"]["Finding"][];
        inconclusive: import("../types/control.js").components["schemas"]["Inconclusive"][];
        judged: string[];
    }>;
    /**
     * Assert that the client did nothing wrong in this world. Throws AssertionError with every
     * finding; notes are none.
     *
     * @param {Judging} [body]
     * @param {Options} [options]
     */
    assertClean(body?: Judging, options?: Options): Promise<{
        findings: import("../types/control.js").components["schemas"]["Finding"][];
        notes: import("../types/control.js").components["schemas"]["Finding"][];
        inconclusive: import("../types/control.js").components["schemas"]["Inconclusive"][];
        judged: string[];
    }>;
    /**
     * The whole world as one document; the same text for the same world.
     *
     * @param {Options} [options]
     */
    snapshot(options?: Options): Promise<string>;
    /**
     * Replace the world with a snapshot, of this world or another.
     *
     * @param {string} snapshot
     * @param {Options} [options]
     */
    restore(snapshot: string, options?: Options): Promise<void>;
    /**
     * Reset the world to how it was made.
     *
     * @param {Options} [options]
     */
    reset(options?: Options): Promise<void>;
    /**
     * Drop the world and everything in it.
     *
     * @param {Options} [options]
     */
    drop(options?: Options): Promise<void>;
    /**
     * The world, its requests and the credits of its accounts, for the report of a failed test.
     *
     * @param {Options} [options]
     */
    report(options?: Options): Promise<string>;
}
export type Options = import("./door.js").Options;
export type Schemas = import("./door.js").Schemas;
export type Api = Schemas["Task"]["api"];
export type Judging = import("./door.js").BodyOf<"post", typeof JUDGEMENT>;
import { RequestCalls } from "./requests.js";
import { Clock } from "./clock.js";
import { Faults } from "./faults.js";
declare const LEDGER: "/_mock/worlds/{world}/accounts/{account}/ledger";
declare const ACCOUNTS: "/_mock/worlds/{world}/accounts";
declare const ACCOUNT: "/_mock/worlds/{world}/accounts/{account}";
declare const STORY: "/_mock/worlds/{world}/tasks/{task_id}/story";
import { Inbox } from "./inbox.js";
declare const JUDGEMENT: "/_mock/worlds/{world}/judgement";
export {};
