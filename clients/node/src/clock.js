/** The clock of a world. */

/** @typedef {import("./door.js").Options} Options */

const CLOCK = "/_mock/worlds/{world}/clock";
const DUE = "/_mock/worlds/{world}/due";
const ADVANCE = "/_mock/worlds/{world}/clock/advance";

/** The time limit of a move: it waits until receivers of callbacks have answered. */
const MOVE_TIMEOUT_S = 300;

/** Reads and moves the time of a world. */
export class Clock {
  #door;

  /** @param {import("./door.js").Door} door of the world */
  constructor(door) {
    this.#door = door;
  }

  /**
   * The world's time, its mode and its scale.
   *
   * @param {Options} [options]
   */
  get(options) {
    return this.#door.call("get", CLOCK, options);
  }

  /**
   * The world's time in seconds since 1970.
   *
   * @param {Options} [options]
   */
  async seconds(options) {
    return Date.parse((await this.get(options)).now) / 1000;
  }

  /**
   * Stop the clock. It then moves only by `advance`, `untilIdle` and `change`.
   *
   * @param {Options} [options]
   */
  freeze(options) {
    return this.change({ mode: "frozen" }, options);
  }

  /**
   * Let the clock run; with a scale of 60 a minute passes in a second.
   *
   * @param {number} [scale]
   * @param {Options} [options]
   */
  run(scale = 1, options = {}) {
    return this.change({ mode: "real", scale }, options);
  }

  /**
   * Change the mode, the scale, `now`, or the clock that dates signatures.
   *
   * @param {import("./door.js").BodyOf<"patch", typeof CLOCK>} body
   * @param {Options} [options]
   */
  change(body, options) {
    return this.#door.call("patch", CLOCK, { ...options, body, timeoutS: MOVE_TIMEOUT_S });
  }

  /**
   * Move the clock forward. Returns all that was due, in order, when it has happened, answers of
   * receivers included.
   *
   * @param {number} seconds
   * @param {Options} [options]
   */
  advance(seconds, options) {
    return this.#move({ seconds }, options);
  }

  /**
   * Move the clock forward until all that is due now, and what follows from it, has happened.
   * Returns as `advance` does.
   *
   * @param {Options} [options]
   */
  untilIdle(options) {
    return this.#move({ until: "idle" }, options);
  }

  /**
   * What comes next, in order; an advance to `at` makes it happen.
   *
   * @param {import("./door.js").QueryOf<"get", typeof DUE>} [query] only of a `task`, `limit`
   * @param {Options} [options]
   */
  async due(query, options) {
    return (await this.#door.call("get", DUE, { ...options, query })).due;
  }

  /**
   * @param {import("./door.js").BodyOf<"post", typeof ADVANCE>} body
   * @param {Options} [options]
   */
  async #move(body, options) {
    const call = { ...options, body, timeoutS: MOVE_TIMEOUT_S };
    return (await this.#door.call("post", ADVANCE, call)).effects;
  }
}
