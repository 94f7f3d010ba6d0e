// Keeping up with a world: look at all of it, then wait until something has happened there.

import { ask, Gone, inWorld, Problem } from "./door.js";
import { Journal } from "./journal.js";

const PATIENCE_MS = 2000; // of one wait; what no request tells of shows up after it
const PATIENCE_WHILE_UNDER_WAY_MS = 500; // the door does not tell when what is known ends
const LONGEST_WAIT_S = 60; // the door's: a wait that comes to nothing is given up before
const BREATH_MS = 150; // between two looks, however much happens
const BREATH_PER_LOOK = 4; // of the time that the last look took, if that is longer
const SHOWN = 200; // of tasks and deliveries, the newest
const RETRIES_MS = [500, 1000, 2000, 4000, 5000];

export class Live {
  #ending = new AbortController();
  #wasNudged = false; // since the last look began
  #wake = () => {};

  /** show(facts): what there is now. tell(state): "live", "gone", or what the door said. */
  constructor(show, tell) {
    this.show = show;
    this.tell = tell;
    document.addEventListener("visibilitychange", () => this.nudge());
  }

  /** Look again now: something was changed from here. */
  nudge() {
    this.#wasNudged = true;
    this.#wake();
  }

  /** Wait for nothing any more: the world is about to go. */
  leave() {
    this.#ending.abort();
  }

  /** Leave the world that was followed, and follow this one. */
  follow(world) {
    this.leave();
    this.#ending = new AbortController();
    this.journal = new Journal(world);
    this.#keepUp(world, this.journal, this.#ending.signal);
  }

  async #keepUp(world, journal, signal) {
    let failures = 0;
    while (!signal.aborted) {
      try {
        this.#wasNudged = false;
        const began = performance.now();
        const facts = await look(world, journal, signal);
        failures = 0;
        this.tell("live");
        this.show(facts);
        const breath = Math.max(BREATH_MS, BREATH_PER_LOOK * (performance.now() - began));
        await Promise.all([pause(breath), this.#untilSomethingHappens(facts, signal)]);
      } catch (problem) {
        if (signal.aborted) return;
        this.tell(problem instanceof Gone ? "gone" : problem);
        if (!(problem instanceof Gone || problem instanceof Problem)) console.error(problem);
        await this.#orNudged(pause(RETRIES_MS[Math.min(failures++, RETRIES_MS.length - 1)]));
      }
    }
  }

  /** The door's wait, or the next moment something is due, or a nudge: whichever comes first. */
  async #untilSomethingHappens(facts, signal) {
    const round = new AbortController();
    const ways = [
      requestAnswered(facts, AbortSignal.any([signal, round.signal])),
      pause(Math.min(patienceMs(facts), msUntilDue(facts))),
    ];
    try {
      await this.#orNudged(Promise.race(ways));
    } finally {
      round.abort();
    }
    if (document.hidden) await this.#untilSeen();
  }

  #orNudged(happening) {
    const nudged = new Promise((resolve) => {
      this.#wake = resolve;
    });
    if (this.#wasNudged) this.#wake();
    return Promise.race([happening, nudged]);
  }

  #untilSeen() {
    return new Promise((resolve) => {
      document.addEventListener("visibilitychange", resolve, { once: true });
    });
  }
}

async function look(name, journal, signal) {
  const get = (path) => ask("GET", inWorld(name, path), { signal });
  const [world, clock, { accounts }, tasks, { faults }, deliveries] = await Promise.all([
    get(""),
    get("/clock"),
    get("/accounts"),
    get(`/tasks?limit=${SHOWN}`),
    get("/faults"),
    get(`/deliveries?limit=${SHOWN}`),
    journal.look(signal),
  ]);
  const someAttemptUnderWay = deliveries.deliveries.some((delivery) =>
    delivery.attempts.some((attempt) => attempt.ended_at === null),
  );
  return {
    world,
    clock,
    accounts,
    faults,
    journal,
    someAttemptUnderWay,
    tasks: tasks.tasks,
    totalTasks: tasks.total,
    deliveries: deliveries.deliveries,
    totalDeliveries: deliveries.total,
    evictedDeliveries: deliveries.evicted,
  };
}

/** Resolves when a request has been answered that is not known yet, or the world has ended. */
async function requestAnswered({ world, journal }, signal) {
  const query = new URLSearchParams({ timeout_s: LONGEST_WAIT_S });
  if (journal.newest) query.set("after", journal.newest);
  try {
    await ask("GET", inWorld(world.name, `/wait?${query}`), { signal });
  } catch (problem) {
    const isOver = problem instanceof Problem && [408, 503].includes(problem.status);
    if (!isOver && problem.name !== "AbortError") throw problem;
  }
}

function patienceMs({ journal, someAttemptUnderWay }) {
  const isHurried = journal.someUnderWay || someAttemptUnderWay;
  return isHurried ? PATIENCE_WHILE_UNDER_WAY_MS : PATIENCE_MS;
}

/** Real milliseconds until a task moves on or a delivery is tried. */
function msUntilDue({ clock, tasks, deliveries }) {
  if (clock.mode === "frozen") return Infinity;
  const now = Date.parse(clock.now);
  const moments = [
    ...tasks.flatMap((task) => (isOver(task) ? [] : [task.taken_up_at, task.ends_at])),
    ...deliveries.map((delivery) => delivery.next_attempt_at),
  ];
  const waits = moments
    .filter(Boolean)
    .map((at) => Date.parse(at) - now)
    .filter((ms) => ms > 0);
  return waits.reduce((one, other) => Math.min(one, other), Infinity) / clock.scale + 20;
}

/** Whether a task has ended. */
export const isOver = (task) => task.state === "succeeded" || task.state === "failed";

const pause = (ms) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
