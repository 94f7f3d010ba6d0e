// The list of faults of a world, with their counts and buttons that remove them.

import { inWorld } from "./door.js";
import { actionButton, counted, h, keyedList, plural, problemSlot, setText } from "./elements.js";

export class FaultList {
  constructor(world, live) {
    this.problem = problemSlot();
    const list = h("ul.standing", { "aria-label": "Standing faults" });
    this.draw = keyedList(
      list,
      (fault) => fault.id,
      () => faultLine(world, live, this.problem),
    );
    this.none = h("p.hint", "No faults. Every answer follows from the state of the world.");
    this.clear = actionButton(
      "Remove all",
      this.problem,
      () => live.change("DELETE", inWorld(world().name, "/faults")),
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
    () => {
      const path = `/faults/${encodeURIComponent(line.fault.id)}`;
      return live.change("DELETE", inWorld(world().name, path));
    },
    { class: "quiet" },
  );
  line.node.append(h("span.what", name, " ", api), remove, counts);
  line.show = (fault) => {
    line.fault = fault;
    const label = fault.scenario ?? fault.effect.type;
    setText(name, label);
    setText(api, fault.match.api ?? "");
    remove.setAttribute("aria-label", `Remove ${label}`);
    line.node.title = JSON.stringify({ match: fault.match, effect: fault.effect });
    setText(
      counts,
      `${whenOf(fault)} · matched ${counted(fault.matched)} · happened ${counted(fault.happened)}`,
    );
  };
  return line;
}

function whenOf({ times, every, skip, probability }) {
  const limit =
    times == null
      ? "until removed"
      : times === 1
        ? "next request of each account"
        : `next ${plural(times, "request")} of each account`;
  return [
    limit,
    skip ? `after ${skip}` : "",
    every > 1 ? `every ${every}th` : "",
    probability < 1 ? `${Math.round(probability * 100)} %` : "",
  ]
    .filter(Boolean)
    .join(", ");
}
