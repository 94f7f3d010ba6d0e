/** The journal of a world: its requests, and what has happened. */

import { TIMEOUT_S } from "./door.js";
import { failure } from "./report.js";

/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").Schemas} Schemas */

const REQUESTS = "/_mock/worlds/{world}/requests";
const VERIFY = "/_mock/worlds/{world}/requests/verify";
const WAIT = "/_mock/worlds/{world}/wait";
const CHANGES = "/_mock/worlds/{world}/changes";

/** @typedef {import("./door.js").QueryOf<"get", typeof REQUESTS>} Filters */
/** @typedef {import("./door.js").QueryOf<"get", typeof WAIT>} Wait */

/** Reads the requests of a world, verifies them, and waits for what happens. */
export class RequestCalls {
  /**
   * @param {import("./door.js").Door} door calls to any route of `/_mock/control.json`, with the
   *   `{world}` of its path filled in
   */
  constructor(door) {
    this.door = door;
  }

  /**
   * The requests in the journal, the oldest first.
   *
   * @param {Filters} [filters]
   * @param {Options} [options]
   */
  async requests(filters, options) {
    return (await this.journal(filters, options)).requests;
  }

  /**
   * The requests in the journal, and the number of deleted ones.
   *
   * @param {Filters} [filters]
   * @param {Options} [options]
   */
  journal(filters, options) {
    return this.door.call("get", REQUESTS, { ...options, query: filters });
  }

  /**
   * The journal as a document for other tools.
   *
   * @param {"har" | "ndjson"} format
   * @param {Filters} [filters]
   * @param {Options} [options]
   */
  export(format, filters, options) {
    return this.door.text("get", REQUESTS, { ...options, query: { ...filters, format } });
  }

  /**
   * Delete the requests that have been answered.
   *
   * @param {Options} [options]
   */
  async clearRequests(options) {
    await this.door.call("delete", REQUESTS, options);
  }

  /**
   * Assert that such requests came: `{ match: { operation: "create" }, count: 1 }`, or in an order.
   * Throws AssertionError with what was found and the nearest requests, also if the result depends
   * on requests that are no longer kept.
   *
   * @param {import("./door.js").BodyOf<"post", typeof VERIFY>} body
   * @param {Options} [options]
   */
  async verify(body, options) {
    const verdict = await this.door.call("post", VERIFY, { ...options, body });
    if (verdict.verified) return verdict;
    const near = verdict.near_misses.map(
      (miss) => `  ${miss.request} ${miss.asked}: ${miss.differences.join("; ")}`,
    );
    throw failure([verdict.said, ...near], verdict, this.verify);
  }

  // --- waits ------------------------------------------------------------------------------------

  /**
   * The first such request, as soon as it has been answered.
   *
   * timeout_s: real seconds, at most 60. Throws ControlError: status 408 with what came instead if
   * the time runs out, 409 at once if it can no longer happen.
   *
   * @param {Omit<Wait, "state" | "delivery" | "delivery_id">} [filters]
   * @param {Options} [options]
   */
  async waitForRequest(filters = {}, options = {}) {
    const found = /** @type {Schemas["FoundRequest"]} */ (await this.#wait(filters, options));
    return found.request;
  }

  /**
   * The task, as soon as it has reached this state. A frozen clock must be moved meanwhile.
   * Throws as `waitForRequest` does.
   *
   * @param {string} task
   * @param {Pick<Wait, "state" | "timeout_s">} [what]
   * @param {Options} [options]
   */
  async waitForTask(task, { state = "ended", timeout_s = 10 } = {}, options = {}) {
    const found = await this.#wait({ task, state, timeout_s }, options);
    return /** @type {Schemas["FoundTask"]} */ (found).task;
  }

  /**
   * A delivery about this task, or about any, as soon as one has this outcome.
   * Throws as `waitForRequest` does.
   *
   * @param {Pick<Wait, "task" | "delivery_id" | "delivery" | "timeout_s">} [what]
   * @param {Options} [options]
   */
  async waitForDelivery({ delivery = "attempted", ...what } = {}, options = {}) {
    const found = await this.#wait({ ...what, delivery }, options);
    return /** @type {Schemas["FoundDelivery"]} */ (found).delivery;
  }

  /**
   * What happened in the world after the `cursor` of an earlier answer, in order; without one, all
   * that is kept. timeout_s: real seconds to wait, at most 60, if there is nothing new.
   *
   * @param {import("./door.js").QueryOf<"get", typeof CHANGES>} [query]
   * @param {Options} [options]
   */
  changes(query = {}, options = {}) {
    const timeoutS = (query.timeout_s ?? 0) + TIMEOUT_S;
    return this.door.call("get", CHANGES, { ...options, query, timeoutS });
  }

  /**
   * @param {Wait} query
   * @param {Options} options
   */
  #wait({ timeout_s = 10, ...what }, options) {
    const query = { ...what, timeout_s };
    return this.door.call("get", WAIT, { ...options, query, timeoutS: timeout_s + TIMEOUT_S });
  }
}
