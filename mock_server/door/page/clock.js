// The world's time: what it is, how it goes on, and jumping ahead.

import { ask, inWorld } from "./door.js";
import { actionButton, busy, h, linkButton, plural, problemSlot, say } from "./elements.js";
import { timeOf } from "./moments.js";

const SPEEDS = [1, 10, 60, 3600];
const JUMPS = [
  ["+1 s", { seconds: 1 }],
  ["+2 min", { seconds: 120 }],
  ["+1 h", { seconds: 3600 }],
  ["Until idle", { until: "idle" }],
];
const WHAT = {
  task_taken_up: "task taken up",
  task_ends: "task ends",
  attempt_due: "attempt due",
  attempt: "attempt",
  alarm: "alarm",
  delay_over: "delay over",
};

export function clockCard(card, { live, reveal }) {
  let facts = null;
  let shownAt = 0; // when the world's time was told, on this machine's stopwatch
  const time = h("span.now.mono", "--:--:--");
  const date = h("span.hint", "UTC");
  const mode = h("span.mode");
  const problem = problemSlot();
  const effects = new Effects(reveal);

  const change = (body) => ask("PATCH", inWorld(facts.world.name, "/clock"), { body });
  const freeze = actionButton(
    "Freeze",
    problem,
    async () => {
      await change({ mode: facts.clock.mode === "frozen" ? "real" : "frozen" });
      live.nudge();
    },
    { class: "main" },
  );
  const speed = h("select", { "aria-label": "How fast time goes" });
  speed.addEventListener("change", () =>
    busy(speed, problem, async () => {
      await change({ scale: Number(speed.value) });
      live.nudge();
    }),
  );
  const jumps = JUMPS.map(([label, body]) =>
    actionButton(label, problem, async () => {
      const told = await ask("POST", inWorld(facts.world.name, "/clock/advance"), { body });
      effects.show(label, told.effects);
      live.nudge();
    }),
  );

  card.append(
    h("p.clock", time, h("span.stack", date, mode)),
    h("div.buttons", freeze, speed),
    h("div.buttons.jump", { role: "group", "aria-label": "Jump ahead" }, ...jumps),
    problem,
    effects.node,
  );
  setInterval(tick, 100);

  function tick() {
    if (facts === null) return;
    const passed =
      facts.clock.mode === "frozen" ? 0 : (performance.now() - shownAt) * facts.clock.scale;
    const now = new Date(Date.parse(facts.clock.now) + passed).toISOString();
    say(time, timeOf(now).slice(0, 8));
    say(date, `${now.slice(0, 10)} UTC`);
  }

  return {
    show(now) {
      if (facts !== null && facts.world.name !== now.world.name) effects.clear();
      facts = now;
      shownAt = performance.now();
      const isFrozen = now.clock.mode === "frozen";
      card.classList.toggle("frozen", isFrozen);
      say(mode, isFrozen ? "frozen" : speedOf(now.clock.scale));
      say(freeze, isFrozen ? "Run" : "Freeze");
      offer(speed, now.clock.scale);
      tick();
    },
  };
}

const speedOf = (scale) => (scale === 1 ? "real time" : `${scale}× real time`);

function offer(select, scale) {
  if (
    select.options.length === 0 ||
    ![...select.options].some((each) => Number(each.value) === scale)
  ) {
    const speeds = [...new Set([...SPEEDS, scale])].sort((one, other) => one - other);
    select.replaceChildren(...speeds.map((each) => h("option", { value: each }, `${each}×`)));
  }
  if (document.activeElement !== select) select.value = String(scale);
}

/** What happened during the last jump, in order. */
class Effects {
  constructor(reveal) {
    this.reveal = reveal;
    this.said = h("p.hint");
    this.list = h("ol.effects.mono", {
      tabindex: "0",
      "aria-label": "What happened during the jump",
    });
    this.node = h("div", { role: "status", class: "happened", hidden: true }, this.said, this.list);
  }

  clear() {
    this.node.hidden = true;
  }

  show(label, effects) {
    this.node.hidden = false;
    this.list.hidden = effects.length === 0;
    const count = effects.length === 0 ? "nothing was due" : plural(effects.length, "effect");
    say(this.said, `${label}: ${count}`);
    this.list.replaceChildren(...effects.map((effect) => this.#line(effect)));
  }

  #line({ at, what, subject, outcome }) {
    const came =
      outcome === "due"
        ? null
        : h("b", { class: `outcome ${outcome.split(" ").join("-")}` }, outcome);
    return h(
      "li",
      h("time", { datetime: at }, timeOf(at)),
      " ",
      WHAT[what] ?? what,
      " ",
      came,
      h("br"),
      this.#subject(what, subject),
    );
  }

  #subject(what, subject) {
    const [kind, id] = what.startsWith("task_")
      ? ["tasks", subject]
      : what.startsWith("attempt")
        ? ["deliveries", subject.match(/^delivery_[^_]+/)?.[0]]
        : [];
    if (!id) return h("span", subject);
    return linkButton(subject, () => this.reveal(kind, id));
  }
}
