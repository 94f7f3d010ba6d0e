/** @typedef {import("./door.js").BodyOf<"put", typeof INBOX>["answers"][number]} PlannedAnswer */
/** A receiver inside the server. url: the address to give as a callback URL. */
export class Inbox {
    /**
     * @param {import("./door.js").Door} door of the world
     * @param {string} name
     * @param {string} url
     */
    constructor(door: import("./door.js").Door, name: string, url: string);
    name: string;
    url: string;
    /**
     * The requests in the inbox, the oldest first.
     *
     * @param {Options} [options]
     */
    requests(options?: Options): Promise<{
        at: string;
        method: string;
        path: string;
        query: string;
        headers: [string, string][];
        body: string;
        body_base64: string;
        size_bytes: number;
        signature: import("../types/control.js").components["schemas"]["Signature"];
        answered: number | null;
    }[]>;
    /**
     * The requests in the inbox, the number of deleted ones, and the planned answers.
     *
     * @param {Options} [options]
     */
    contents(options?: Options): Promise<{
        name: string;
        requests: import("../types/control.js").components["schemas"]["Received"][];
        evicted: number;
        answers: Record<string, unknown>[];
    }>;
    /**
     * Set the answers to the next requests and replace earlier ones. Later requests get 200.
     *
     * @param {(number | PlannedAnswer)[]} answers a status each, or `{ status: 500, times: 2 }`,
     *   `{ hang: true }`, `{ delay_s: 3 }`, `{ cut: true }`, with `headers` and `body`
     * @param {Options} [options]
     */
    program(answers: (number | PlannedAnswer)[], options?: Options): Promise<{
        name: string;
        requests: import("../types/control.js").components["schemas"]["Received"][];
        evicted: number;
        answers: Record<string, unknown>[];
    }>;
    #private;
}
export type Options = import("./door.js").Options;
export type PlannedAnswer = import("./door.js").BodyOf<"put", typeof INBOX>["answers"][number];
/** Receivers of callbacks and webhooks inside the server. */
/** @typedef {import("./door.js").Options} Options */
declare const INBOX: "/_mock/worlds/{world}/inbox/{name}";
export {};
