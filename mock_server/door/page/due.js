// What comes next, with a countdown and a button that goes there.

import { inWorld } from "./door.js";
import { actionButton, h, keyedList, linkButton, problemSlot, setText } from "./elements.js";
import { durationText } from "./moments.js";

const ENDS = { alarm: "end of a wait", delay_over: "end of a delay" };

/** A list of what is due. onHappened(label, effects): called with what an advance made happen. */
export class DueList {
  constructor({ live, reveal, onHappened, name }) {
    this.live = live;
    this.onHappened = onHappened;
    this.reveal = reveal;
    this.problem = problemSlot();
    this.list = h("ol.due", { "aria-label": name });
    this.draw = keyedList(
      this.list,
      ({ at, what, subject }) => `${at} ${what} ${subject}`,
      () => this.#row(),
    );
    this.node = h("div", this.list, this.problem);
    this.rows = new Map();
  }

  /** due: what the server says is due. nowMs(): the world's time. */
  show(world, due, nowMs) {
    this.world = world;
    this.nowMs = nowMs;
    this.rows = this.draw(due);
    this.node.hidden = due.length === 0;
    this.tick();
  }

  /** Count down. */
  tick() {
    for (const { left, entry } of this.rows.values()) {
      const ms = Date.parse(entry.at) - this.nowMs();
      setText(left, ms > 0 ? `in ${durationText(ms < 1000 ? Math.round(ms) : Math.floor(ms / 1000) * 1000)}` : "now");
    }
  }

  #row() {
    const row = { left: h("span.left"), entry: null };
    const what = linkButton("", () => this.#open(row.entry));
    const go = actionButton("Go there", this.problem, () => this.#goTo(row.entry), { class: "quiet" });
    const of = h("span.hint.mono");
    row.node = h("li", row.left, what, of, go);
    row.show = (entry) => {
      row.entry = entry;
      setText(what, titleOf(entry));
      what.title = entry.subject;
      setText(of, (entry.task ?? entry.subject).slice(-6));
      go.setAttribute("aria-label", `Go there: ${titleOf(entry)}`);
    };
    return row;
  }

  #open({ what, subject, task }) {
    if (task) this.reveal("tasks", task);
    else if (what === "attempt_due") this.reveal("deliveries", subject);
  }

  async #goTo(entry) {
    const seconds = Math.max(0, Date.parse(entry.at) - this.nowMs()) / 1000;
    const path = inWorld(this.world, "/clock/advance");
    const { effects } = await this.live.change("POST", path, { seconds });
    this.onHappened(`To: ${titleOf(entry)}`, effects);
  }
}

function titleOf({ what, state, attempt }) {
  if (state) return `task ${state}`;
  if (attempt) return `attempt ${attempt}`;
  return ENDS[what] ?? what;
}
