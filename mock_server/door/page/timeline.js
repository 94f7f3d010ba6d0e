// The lanes of a story over one time axis. The list below them has the same for everybody.

import { h } from "./elements.js";
import { durationText, msBetween } from "./moments.js";
import { endOf, keyOf, LANES, laneOf, titleOf } from "./story_words.js";

const BREAK_WIDTH = 1.4; // of a break, on the scale of `widthOf`
const LABEL_PX = 84; // the room for a label of the axis
const LABEL_OF_PHONE = 0.3; // the same as a part of a narrow axis
const LEAST_WIDTH = 0.006; // of a span

/** The lanes; `choose(key)` opens an entry of the list. */
export function timeline(entries, choose) {
  const axis = new Axis(entries);
  const rows = Object.keys(LANES).map((lane) => {
    const own = entries.filter((entry) => laneOf(entry) === lane);
    const marks = own.map((entry, place) => mark(axis, entry, own[place + 1], choose));
    return h("div.lane", h("span.lane-name", lane), h("div.track", ...marks));
  });
  const breaks = axis.breaks.map(({ from, to, text }) =>
    placed(h("div.break", { title: text }), from, to),
  );
  return h(
    "div.timeline",
    {
      role: "img",
      "aria-label": `Timeline of ${entries.length} entries. The list below has the same entries.`,
    },
    h("div.breaks", ...breaks),
    ...rows,
    h("div.lane.axis", h("span.lane-name"), h("div.track", ...axis.labels())),
  );
}

function mark(axis, entry, next, choose) {
  const from = axis.place(entry.at, entry.wall_at);
  const isState = ["state", "ledger"].includes(entry.type) && next !== undefined;
  const to = isState
    ? axis.place(next.at, next.wall_at)
    : axis.place(endOf(entry), entry.ended_wall_at ?? entry.last_wall_at ?? entry.wall_at);
  const made = h(
    "div.mark",
    { title: `${titleOf(entry)}${entry.why ? `: ${entry.why}` : ""}`, onclick: () => choose(keyOf(entry)) },
    h("span", labelOf(entry)),
  );
  made.dataset.type = entry.type;
  made.dataset.odd = entry.is_odd;
  made.dataset.kind = entry.state ?? entry.moved ?? "";
  return placed(made, from, Math.max(to, from + LEAST_WIDTH));
}

/** A sign for what is odd, so that colour is not the only one. */
const labelOf = (entry) => {
  if (entry.is_odd) return "!";
  if (entry.type === "looks") return String(entry.count);
  if (entry.type === "clock" && entry.to > entry.at) {
    return `+${durationText(entry.sum_ms ?? msBetween(entry.at, entry.to))}`;
  }
  return entry.type === "state" ? entry.state : "";
};

function placed(element, from, to) {
  element.style.left = `${100 * from}%`;
  element.style.width = `${100 * (to - from)}%`;
  return element;
}

/**
 * Maps a time to a place from 0 to 1. Long times are shortened, so that 2 ms and 2 min can be read
 * beside each other; where the clock was moved or frozen there is a break.
 */
class Axis {
  constructor(entries) {
    const moments = new Map();
    const add = (at, wall) => at && moments.set(keyFor(at, wall), { at, wall });
    for (const entry of entries) {
      add(entry.at, entry.wall_at);
      add(endOf(entry), entry.ended_wall_at ?? entry.last_wall_at ?? entry.wall_at);
    }
    this.moments = [...moments.values()].sort(
      (one, other) => msBetween(other.at, one.at) || msBetween(other.wall ?? other.at, one.wall ?? one.at),
    );
    const jumps = entries.filter((entry) => entry.type === "clock" && entry.to > entry.at);
    const isFrozen = frozenAt(entries);
    let place = 0;
    this.places = new Map();
    const breaks = [];
    this.moments.forEach((moment, index) => {
      const before = this.moments[index - 1];
      if (before !== undefined) {
        const from = place;
        const ms = msBetween(before.at, moment.at);
        const wallMs = before.wall && moment.wall ? msBetween(before.wall, moment.wall) : 0;
        const jump = jumps.some((each) => each.at <= before.at && each.to >= moment.at);
        if (ms > 0 && jump) {
          place += BREAK_WIDTH;
          breaks.push({ from, to: place, ms });
        } else if (ms === 0 && wallMs > 0 && isFrozen(moment.at)) {
          place += Math.min(BREAK_WIDTH, widthOf(wallMs));
          if (wallMs > 100) breaks.push({ from, to: place, ms: 0 });
        } else place += widthOf(ms);
      }
      this.places.set(keyFor(moment.at, moment.wall), place);
    });
    this.length = place || 1;
    this.breaks = joinedBreaks(breaks).map(({ from, to, ms }) => ({
      from: from / this.length,
      to: to / this.length,
      text: ms > 0 ? `moved ${durationText(ms)}` : "frozen",
    }));
  }

  place(at, wall) {
    return (this.places.get(keyFor(at, wall)) ?? 0) / this.length;
  }

  /** Times since the beginning, where there is room for them. */
  labels() {
    const labels = [];
    const apart = innerWidth < 620 ? LABEL_OF_PHONE : LABEL_PX / 620;
    let last = -1;
    let before = "";
    for (const { at, wall } of this.moments) {
      const place = this.place(at, wall);
      const text = `+${durationText(msBetween(this.moments[0].at, at))}`;
      if (text === before || place - last < apart || place > 1 - apart / 2) continue;
      [last, before] = [place, text];
      labels.push(placed(h("span.tick", text), place, place));
    }
    return labels;
  }
}

/** Breaks without a gap between them as one. ms: by how much the clock was moved; 0: frozen. */
function joinedBreaks(breaks) {
  const joined = [];
  for (const each of breaks) {
    const last = joined.at(-1);
    if (last?.to === each.from) Object.assign(last, { to: each.to, ms: last.ms + each.ms });
    else joined.push({ ...each });
  }
  return joined;
}

const keyFor = (at, wall) => `${at} ${wall ?? ""}`;

const widthOf = (ms) => (ms <= 0 ? 0 : 0.4 + Math.log10(1 + ms / 10));

/** A function that says whether the clock stood still at a time. */
function frozenAt(entries) {
  const moves = entries.filter((entry) => entry.type === "clock");
  return (at) => {
    const before = moves.filter((move) => move.at <= at).at(-1);
    return before === undefined || before.mode === "frozen";
  };
}
