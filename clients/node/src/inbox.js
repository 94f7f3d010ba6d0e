/** Receivers of callbacks and webhooks inside the server. */

/** @typedef {import("./door.js").Options} Options */

const INBOX = "/_mock/worlds/{world}/inbox/{name}";

/** @typedef {import("./door.js").BodyOf<"put", typeof INBOX>["answers"][number]} PlannedAnswer */

/** A receiver inside the server. url: the address to give as a callback URL. */
export class Inbox {
  #door;

  /**
   * @param {import("./door.js").Door} door of the world
   * @param {string} name
   * @param {string} url
   */
  constructor(door, name, url) {
    this.#door = door.with({ name });
    this.name = name;
    this.url = url;
  }

  /**
   * The requests in the inbox, the oldest first.
   *
   * @param {Options} [options]
   */
  async requests(options) {
    return (await this.contents(options)).requests;
  }

  /**
   * The requests in the inbox, the number of deleted ones, and the planned answers.
   *
   * @param {Options} [options]
   */
  contents(options) {
    return this.#door.call("get", INBOX, options);
  }

  /**
   * Set the answers to the next requests and replace earlier ones. Later requests get 200.
   *
   * @param {(number | PlannedAnswer)[]} answers a status each, or `{ status: 500, times: 2 }`,
   *   `{ hang: true }`, `{ delay_s: 3 }`, `{ cut: true }`, with `headers` and `body`
   * @param {Options} [options]
   */
  program(answers, options) {
    const planned = answers.map((each) => (typeof each === "number" ? { status: each } : each));
    return this.#door.call("put", INBOX, { ...options, body: { answers: planned } });
  }
}
