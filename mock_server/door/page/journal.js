// The newest requests of a world, kept up with by asking only for what is new.

import { ask, inWorld } from "./door.js";

const STEP = 200;

/**
 * Remembers what it has been told. An answer has to begin with a request that is known already:
 * if it does not, the journal was begun anew, and is read from its beginning.
 */
export class Journal {
  constructor(world) {
    this.world = world;
    this.limit = STEP;
    this.known = [];
    this.evicted = 0;
  }

  /** The id of the newest request. */
  get newest() {
    return this.known.at(-1)?.id;
  }

  /** Whether there are more than are shown. */
  get isCut() {
    return this.known.length >= this.limit;
  }

  get someUnderWay() {
    return this.known.some((request) => request.ended_at === null);
  }

  /** Show more of the older ones from now on. */
  reach() {
    this.limit += STEP;
    this.known = [];
  }

  async look(signal) {
    const place = this.#firstThatMayHaveChanged();
    const since = this.known[place - 1]?.id;
    let told = await this.#ask(since, signal);
    if (place > 0 && !isSame(told.requests[0], this.known[place])) {
      told = await this.#ask(undefined, signal);
      this.known = told.requests;
    } else {
      this.known = [...this.known.slice(0, Math.max(place, 0)), ...told.requests].slice(
        -this.limit,
      );
    }
    this.evicted = told.evicted;
  }

  #firstThatMayHaveChanged() {
    const underWay = this.known.findIndex((request) => request.ended_at === null);
    return underWay === -1 ? this.known.length - 1 : underWay;
  }

  #ask(since, signal) {
    const query = new URLSearchParams({ limit: this.limit });
    if (since !== undefined) query.set("since", since);
    return ask("GET", inWorld(this.world, `/requests?${query}`), { signal });
  }
}

const isSame = (one, other) => one !== undefined && one.id === other.id && one.at === other.at;
