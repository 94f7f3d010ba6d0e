/**
 * Start a server on a free port. It stops with `stop`, or when this process is gone. Throws
 * ControlError.
 *
 * @param {import("./process.js").StartOptions} [options]
 */
export function start(options?: import("./process.js").StartOptions): Promise<Server>;
/**
 * The server at a URL, or at that of HAILUO_MOCK_URL, with the token of HAILUO_MOCK_CONTROL_TOKEN.
 * Throws ControlError if no hailuo-mock answers there.
 *
 * @param {string} [url]
 * @param {Options & { token?: string }} [options]
 */
export function attach(url?: string, options?: Options & {
    token?: string;
}): Promise<Server>;
/**
 * The server at HAILUO_MOCK_URL; without this variable, one that is started.
 *
 * @param {import("./process.js").StartOptions} [options]
 */
export function startOrAttach(options?: import("./process.js").StartOptions): Promise<Server>;
/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").BodyOf<"post", "/_mock/worlds">} WorldPlan */
/** A server. url: its base URL. door: calls to any route of `/_mock/control.json`. */
export class Server {
    /**
     * @param {string} url
     * @param {{ token?: string | undefined, stop?: () => Promise<void> }} [how]
     */
    constructor(url: string, { token, stop }?: {
        token?: string | undefined;
        stop?: () => Promise<void>;
    });
    url: string;
    token: string | undefined;
    door: Door;
    /**
     * Make a world: `{ credits: 60, clock: { mode: "frozen" } }`, with `name` and `seed`.
     *
     * @param {WorldPlan} [plan]
     * @param {Options} [options]
     */
    world(plan?: WorldPlan, options?: Options): Promise<World>;
    /**
     * A world that exists already.
     *
     * @param {string} [name]
     * @param {Options} [options]
     */
    find(name?: string, options?: Options): Promise<World>;
    /**
     * Every world, the oldest first. With the URL of a proxy of several processes, those of all.
     *
     * @param {Options} [options]
     */
    worlds(options?: Options): Promise<World[]>;
    /**
     * The version of the server, and its APIs.
     *
     * @param {Options} [options]
     */
    version(options?: Options): Promise<{
        version: string;
        seed: number;
        apis: import("../types/control.js").components["schemas"]["ServedApi"][];
        shard: string | null;
        state: import("../types/control.js").components["schemas"]["StateFile"] | null;
    }>;
    /**
     * Every scenario, by name: what can go wrong.
     *
     * @param {Options} [options]
     */
    scenarios(options?: Options): Promise<{
        name: string;
        shows: string;
        apis: ("acedata" | "rivya")[];
        wish: "broken_answer" | "callback" | "paid_twice" | "refused" | "slow" | "task_fails";
    }[]>;
    /**
     * Why a request was answered as it was. Its id is in the answer's header `Mock-Request`.
     *
     * @param {string} request_id
     * @param {Options} [options]
     */
    explain(request_id: string, options?: Options): Promise<{
        request: string;
        world: string;
        asked: string;
        status: number | null;
        because: string;
        scenario: string | null;
        channel: string | null;
        faults: string[];
        refusal: string | null;
        without: string | null;
        ignored: import("../types/control.js").components["schemas"]["IgnoredField"][];
    }>;
    /**
     * The counters of the server since its start, as text for Prometheus.
     *
     * @param {Options} [options]
     */
    metrics(options?: Options): Promise<string>;
    /** Stop a server that was started here. A server that was running already goes on. */
    stop(): Promise<void>;
    #private;
}
export type Options = import("./door.js").Options;
export type WorldPlan = import("./door.js").BodyOf<"post", "/_mock/worlds">;
import { Door } from "./door.js";
import { World } from "./world.js";
