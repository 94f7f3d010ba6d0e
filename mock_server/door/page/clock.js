// The card with the clock of a world: its time, its speed, and buttons that advance it.

import { inWorld } from "./door.js";
import { DueList } from "./due.js";
import { actionButton, busy, h, linkButton, plural, problemSlot, setText } from "./elements.js";
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

/** The card; its `nowMs()` is the world's time, `happened` shows what an advance made happen. */
export function clockCard(card, { live, reveal }) {
  let facts = null;
  let shownAt = 0; // when the time of the world was read, by performance.now()
  const time = h("span.now.mono", "--:--:--");
  const date = h("span.hint", "UTC");
  const mode = h("span.mode");
  const problem = problemSlot();
  const effects = new Effects(reveal);
  const due = new DueList({
    live,
    reveal,
    name: "What comes next",
    onHappened: (label, happened) => effects.show(label, happened),
  });
  const nothing = h("p.hint", "Nothing is due.");

  const change = (body) => live.change("PATCH", inWorld(facts.world.name, "/clock"), body);
  const freeze = actionButton(
    "Freeze",
    problem,
    () => change({ mode: facts.clock.mode === "frozen" ? "real" : "frozen" }),
    { class: "main" },
  );
  const speed = h("select", { "aria-label": "How fast time goes" });
  speed.addEventListener("change", () =>
    busy(speed, problem, () => change({ scale: Number(speed.value) })),
  );
  const jumps = JUMPS.map(([label, body]) =>
    actionButton(label, problem, async () => {
      const path = inWorld(facts.world.name, "/clock/advance");
      effects.show(label, (await live.change("POST", path, body)).effects);
    }),
  );

  card.append(
    h("p.clock", time, h("span.stack", date, mode)),
    h("div.buttons", freeze, speed),
    h("div.buttons.jump", { role: "group", "aria-label": "Jump ahead" }, ...jumps),
    problem,
    h("h3", "What comes next"),
    due.node,
    nothing,
    effects.node,
  );
  setInterval(tick, 100);

  function nowMs() {
    const passed =
      facts.clock.mode === "frozen" ? 0 : (performance.now() - shownAt) * facts.clock.scale;
    return Date.parse(facts.clock.now) + passed;
  }

  function tick() {
    if (facts === null) return;
    const now = new Date(nowMs()).toISOString();
    due.tick();
    setText(time, timeOf(now).slice(0, 8));
    setText(date, `${now.slice(0, 10)} UTC`);
  }

  return {
    nowMs,
    happened: (label, happened) => effects.show(label, happened),
    show(now) {
      if (facts !== null && facts.world.name !== now.world.name) effects.clear();
      facts = now;
      shownAt = performance.now();
      const isFrozen = now.clock.mode === "frozen";
      card.classList.toggle("frozen", isFrozen);
      setText(mode, isFrozen ? "frozen" : speedOf(now.clock.scale));
      setText(freeze, isFrozen ? "Run" : "Freeze");
      showSpeed(speed, now.clock.scale);
      due.show(now.world.name, now.due, nowMs);
      nothing.hidden = now.due.length > 0;
      tick();
    },
  };
}

const speedOf = (scale) => (scale === 1 ? "real time" : `${scale}× real time`);

function showSpeed(select, scale) {
  if (
    select.options.length === 0 ||
    ![...select.options].some((each) => Number(each.value) === scale)
  ) {
    const speeds = [...new Set([...SPEEDS, scale])].sort((one, other) => one - other);
    select.replaceChildren(...speeds.map((each) => h("option", { value: each }, `${each}×`)));
  }
  if (document.activeElement !== select) select.value = String(scale);
}

/** What happened during the last advance, in order. */
class Effects {
  constructor(reveal) {
    this.reveal = reveal;
    this.summary = h("p.hint");
    this.list = h("ol.effects.mono", {
      tabindex: "0",
      "aria-label": "What happened during the jump",
    });
    this.node = h("div", { role: "status", class: "happened", hidden: true }, this.summary, this.list);
  }

  clear() {
    this.node.hidden = true;
  }

  show(label, effects) {
    this.node.hidden = false;
    this.list.hidden = effects.length === 0;
    const count = effects.length === 0 ? "nothing was due" : plural(effects.length, "effect");
    setText(this.summary, `${label}: ${count}`);
    this.list.replaceChildren(...effects.map((effect) => this.#line(effect)));
  }

  #line({ at, what, subject, outcome }) {
    const result =
      outcome === "due"
        ? null
        : h("b", { class: `outcome ${outcome.split(" ").join("-")}` }, outcome);
    return h(
      "li",
      h("time", { datetime: at }, timeOf(at)),
      " ",
      WHAT[what] ?? what,
      " ",
      result,
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
