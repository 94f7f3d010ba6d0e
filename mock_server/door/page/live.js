// Follows a world: reads all of it, then waits for the next change in its history.

import { ask, inWorld, Problem, Unreachable } from "./door.js";
import { Journal } from "./journal.js";

const WAIT_S = 50; // for a change; the door allows 60
const PAUSE_MS = 150; // at least, between two reads
const PAUSE_PER_READ = 4; // times the duration of the last read, if that is longer
const SHOWN = 200; // newest tasks and deliveries
const DUE = 4; // the next ones
const RETRIES_MS = [500, 1000, 2000, 4000, 5000];

export class Live {
  #ending = new AbortController();
  #mustRefresh = false; // set since the last read began
  #wake = () => {};

  /** show(facts): shows the world. showState(state): "live", "gone", or a Problem. */
  constructor(show, showState) {
    this.show = show;
    this.showState = showState;
    document.addEventListener("visibilitychange", () => this.refresh());
  }

  /** Read the world again now. */
  refresh() {
    this.#mustRefresh = true;
    this.#wake();
  }

  /** Change something through the door, then read the world again. Resolves with the answer. */
  async change(method, path, body) {
    const answer = await ask(method, path, { body });
    this.refresh();
    return answer;
  }

  /** Stop following the world. */
  leave() {
    this.#ending.abort();
  }

  /** Follow this world in place of another. */
  follow(world) {
    this.leave();
    this.#ending = new AbortController();
    this.journal = new Journal(world);
    this.#run(world, this.journal, this.#ending.signal);
  }

  async #run(world, journal, signal) {
    let failures = 0;
    while (!signal.aborted) {
      try {
        this.#mustRefresh = false;
        const began = performance.now();
        const cursor = await newestCursor(world, signal); // before the world, so that nothing is missed
        const facts = await readWorld(world, journal, signal);
        facts.incarnation = cursor.slice(0, cursor.lastIndexOf("-"));
        failures = 0;
        this.showState("live");
        this.show(facts);
        const pauseMs = Math.max(PAUSE_MS, PAUSE_PER_READ * (performance.now() - began));
        await Promise.all([pause(pauseMs), this.#untilSomethingHappens(world, cursor, signal)]);
      } catch (problem) {
        if (signal.aborted) return;
        this.showState(problem instanceof Unreachable ? "gone" : problem);
        if (!(problem instanceof Unreachable || problem instanceof Problem)) console.error(problem);
        await this.#orRefresh(pause(RETRIES_MS[Math.min(failures++, RETRIES_MS.length - 1)]));
      }
    }
  }

  /** Resolves at the next change, or at `refresh`. */
  async #untilSomethingHappens(world, cursor, signal) {
    const round = new AbortController();
    try {
      await this.#orRefresh(changeAfter(world, cursor, AbortSignal.any([signal, round.signal])));
    } finally {
      round.abort();
    }
    if (document.hidden) await this.#untilSeen();
  }

  #orRefresh(happening) {
    const refreshed = new Promise((resolve) => {
      this.#wake = resolve;
    });
    if (this.#mustRefresh) this.#wake();
    return Promise.race([happening, refreshed]);
  }

  #untilSeen() {
    return new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}

async function readWorld(name, journal, signal) {
  const get = (path) => ask("GET", inWorld(name, path), { signal });
  const [world, clock, { accounts }, tasks, { faults }, deliveries, { due }] = await Promise.all([
    get(""),
    get("/clock"),
    get("/accounts"),
    get(`/tasks?limit=${SHOWN}`),
    get("/faults"),
    get(`/deliveries?limit=${SHOWN}`),
    get(`/due?limit=${DUE}`),
    journal.read(signal),
  ]);
  return {
    world,
    clock,
    accounts,
    due,
    faults,
    journal,
    tasks: tasks.tasks,
    deliveries: deliveries.deliveries,
    totals: { tasks: tasks.total, deliveries: deliveries.total },
    evicted: { tasks: 0, deliveries: deliveries.evicted },
  };
}

/** The cursor of now: no change has a task without a name, so none is sent. */
async function newestCursor(world, signal) {
  let answer = { more: true };
  const query = new URLSearchParams({ task: "", limit: 1 });
  while (answer.more) {
    answer = await ask("GET", inWorld(world, `/changes?${query}`), { signal });
    query.set("since", answer.cursor);
  }
  return answer.cursor;
}

/** Resolves when something has changed after the cursor, or the world was reset or has ended. */
async function changeAfter(world, cursor, signal) {
  const query = new URLSearchParams({ since: cursor, limit: 1, timeout_s: WAIT_S });
  try {
    await ask("GET", inWorld(world, `/changes?${query}`), { signal });
  } catch (problem) {
    const isOfOtherWorld = problem instanceof Problem && [400, 503].includes(problem.status);
    if (!isOfOtherWorld && problem.name !== "AbortError") throw problem;
  }
}

/** Whether a task has ended. */
export const hasEnded = (task) => task.state === "succeeded" || task.state === "failed";

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
