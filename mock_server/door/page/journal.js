// The newest requests of a world. Each read asks only for what is new.

import { ask, inWorld } from "./door.js";

const SHOWN = 200;

/**
 * Keeps the requests it has read. An answer must begin with a request that is known; if it does not,
 * the journal was cleared, and is read again from its beginning.
 */
export class Journal {
  constructor(world) {
    this.world = world;
    this.known = [];
    this.evicted = 0;
  }

  /** Whether there may be older requests. */
  get isCut() {
    return this.known.length >= SHOWN;
  }

  async read(signal) {
    const place = this.#firstThatMayHaveChanged();
    const since = this.known[place - 1]?.id;
    let answer = await this.#ask(since, signal);
    if (place > 0 && !isSame(answer.requests[0], this.known[place])) {
      answer = await this.#ask(undefined, signal);
      this.known = answer.requests;
    } else {
      this.known = [...this.known.slice(0, Math.max(place, 0)), ...answer.requests].slice(
        -SHOWN,
      );
    }
    this.evicted = answer.evicted;
  }

  #firstThatMayHaveChanged() {
    const underWay = this.known.findIndex((request) => request.ended_at === null);
    return underWay === -1 ? this.known.length - 1 : underWay;
  }

  #ask(since, signal) {
    const query = new URLSearchParams({ limit: SHOWN });
    if (since !== undefined) query.set("since", since);
    return ask("GET", inWorld(this.world, `/requests?${query}`), { signal });
  }
}

const isSame = (one, other) => one !== undefined && one.id === other.id && one.at === other.at;
