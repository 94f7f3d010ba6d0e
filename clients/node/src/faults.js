/** What goes wrong in a world. */

/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").Schemas["Fault"]} Fault */

const FAULTS = "/_mock/worlds/{world}/faults";
const FAULT = "/_mock/worlds/{world}/faults/{fault_id}";

/**
 * The faults of a scenario, or one with an effect, and when they happen; or the name of a scenario.
 *
 * @typedef {import("./door.js").BodyOf<"post", typeof FAULTS> | string} FaultPlan
 */

/** Adds, reads and removes the faults of a world. */
export class Faults {
  #door;

  /** @param {import("./door.js").Door} door of the world */
  constructor(door) {
    this.#door = door;
  }

  /**
   * Add the faults of a scenario, or one with an effect. Returns them.
   *
   * @param {FaultPlan} plan
   * @param {Options} [options]
   */
  async add(plan, options) {
    const body = typeof plan === "string" ? { scenario: plan } : plan;
    return (await this.#door.call("post", FAULTS, { ...options, body })).faults;
  }

  /**
   * Every fault of the world, the oldest first, with its counts.
   *
   * @param {Options} [options]
   */
  async list(options) {
    return (await this.#door.call("get", FAULTS, options)).faults;
  }

  /**
   * Remove a fault. Returns it with its last counts.
   *
   * @param {string | Fault} fault
   * @param {Options} [options]
   */
  remove(fault, options) {
    const params = { fault_id: typeof fault === "string" ? fault : fault.id };
    return this.#door.call("delete", FAULT, { ...options, params });
  }

  /**
   * Remove every fault of the world.
   *
   * @param {Options} [options]
   */
  async clear(options) {
    await this.#door.call("delete", FAULTS, options);
  }

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
  async during(plan, block, { mustHappen = true, ...options } = {}) {
    const faults = await this.add(plan, options);
    let result;
    try {
      result = await block(faults);
    } catch (error) {
      await this.#removed(faults);
      throw error;
    }
    const removed = await this.#removed(faults);
    if (mustHappen && removed.length === faults.length && neverHappened(removed)) {
      const why = removed.map(whyNot).join("; ");
      const hint = "If that is as it should be, say { mustHappen: false }.";
      process.emitWarning(`${why}. ${hint}`, "FaultNeverHappened");
    }
    return result;
  }

  /**
   * The faults with their last counts, without those that the test has removed itself.
   *
   * @param {Fault[]} faults
   */
  async #removed(faults) {
    const ends = await Promise.allSettled(faults.map((fault) => this.remove(fault)));
    return ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
  }
}

/** @param {Fault[]} removed */
function neverHappened(removed) {
  const byChance = removed.some((fault) => (fault.probability ?? 1) < 1 && fault.matched > 0);
  return !byChance && !removed.some((fault) => fault.happened > 0);
}

/**
 * A sentence about a fault that has not happened, without its full stop.
 *
 * @param {Fault} fault
 */
function whyNot({ id, scenario, effect, match, matched, skip = 0, every = 1 }) {
  const start = `the fault ${id} (${scenario ?? effect.type}) never happened: it concerned`;
  if (matched > 0) {
    return `${start} ${matched} ${matched === 1 ? "request" : "requests"}, and skip: ${skip}, every: ${every}`;
  }
  const hints = {
    delivery: "; what happens to a delivery is drawn when its task ends, so advance the clock inside the block",
    task: "; what happens to a task is drawn when it is made, so make it inside the block",
  };
  const which = Object.keys(match).length > 0 ? ` (match: ${JSON.stringify(match)})` : "";
  const hint = hints[/** @type {keyof typeof hints} */ (effect.type)] ?? "";
  return `${start} nothing that came${which}${hint}`;
}
