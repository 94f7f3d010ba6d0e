// The faults that stand in a world: how often each happened, and removing it.

import { ask, inWorld } from "./door.js";
import { actionButton, counted, h, keyedList, plural, problemSlot, say } from "./elements.js";

/** The list of them. */
export class Standing {
  constructor(world, live) {
    this.problem = problemSlot();
    const list = h("ul.standing", { "aria-label": "Standing faults" });
    this.draw = keyedList(
      list,
      (fault) => fault.id,
      () => faultLine(world, live, this.problem),
    );
    this.none = h("p.hint", "Nothing is forced: everything follows from the state of the world.");
    this.clear = actionButton(
      "Remove all",
      this.problem,
      async () => {
        await ask("DELETE", inWorld(world().name, "/faults"));
        live.nudge();
      },
      { class: "quiet", hidden: true },
    );
    this.node = h("div.faults", this.none, list, this.clear, this.problem);
  }

  show(faults) {
    this.draw(faults);
    this.none.hidden = faults.length > 0;
    this.clear.hidden = faults.length < 2;
  }
}

function faultLine(world, live, problem) {
  const name = h("b.mono");
  const api = h("span.only");
  const counts = h("span.hint");
  const line = { node: h("li"), fault: null };
  const remove = actionButton(
    "Remove",
    problem,
    async () => {
      await ask("DELETE", inWorld(world().name, `/faults/${encodeURIComponent(line.fault.id)}`));
      live.nudge();
    },
    { class: "quiet" },
  );
  line.node.append(h("span.what", name, " ", api), remove, counts);
  line.show = (fault) => {
    line.fault = fault;
    const called = fault.scenario ?? fault.effect.type;
    say(name, called);
    say(api, fault.match.api ?? "");
    remove.setAttribute("aria-label", `Remove ${called}`);
    line.node.title = JSON.stringify({ match: fault.match, effect: fault.effect });
    say(
      counts,
      `${whenOf(fault)} · matched ${counted(fault.matched)} · happened ${counted(fault.happened)}`,
    );
  };
  return line;
}

function whenOf({ times, every, skip, probability }) {
  const said =
    times == null
      ? "until removed"
      : times === 1
        ? "next request of each account"
        : `next ${plural(times, "request")} of each account`;
  return [
    said,
    skip ? `after ${skip}` : "",
    every > 1 ? `every ${every}th` : "",
    probability < 1 ? `${Math.round(probability * 100)} %` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
