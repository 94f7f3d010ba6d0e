// What an entry of a story is called, its lane, and its money.

import { counted, plural } from "./elements.js";
import { durationText, msBetween } from "./moments.js";

/** The lanes, from top to bottom: their names by the types of entries. */
export const LANES = {
  client: ["request", "looks", "download", "twin"],
  job: ["state"],
  money: ["ledger"],
  deliveries: ["delivery", "attempt", "no_delivery"],
  hands: ["clock", "fault"],
};

export const laneOf = ({ type }) =>
  Object.keys(LANES).find((lane) => LANES[lane].includes(type)) ?? "client";

/** The name of an entry in an address; it stays the same while the story grows. */
export const keyOf = (entry) =>
  [
    entry.type,
    entry.attempt ?? entry.twin ?? entry.request ?? entry.delivery ?? entry.fault,
    entry.state ?? entry.moved ?? entry.what ?? (entry.type === "clock" ? entry.at : null),
  ]
    .filter(Boolean)
    .join(".");

/** When an entry ends: for a request or an attempt its answer, for looks the last one. */
export const endOf = (entry) => entry.ended_at ?? entry.last_at ?? entry.to ?? entry.at;

/** What happened, in a few words. */
export function titleOf(entry) {
  const words = WORDS[entry.type];
  return words === undefined ? entry.type : words(entry);
}

const WORDS = {
  request: (entry) => {
    const verb = { create: "Create", cancel: "Cancel" }[entry.operation] ?? entry.operation;
    const again = entry.replay_of ? " again, same key" : "";
    return `${verb ?? entry.method}${again}: ${outcomeOf(entry)}${tookOf(entry)}`;
  },
  download: (entry) =>
    `Download: ${outcomeOf(entry)}, ${counted(entry.sent_bytes)} bytes${tookOf(entry)}`,
  looks: (entry) => {
    const between = msBetween(entry.at, entry.last_at) / Math.max(entry.count - 1, 1);
    const every = entry.count > 1 && between > 0 ? `, one every ${durationText(Math.round(between))}` : "";
    const after = entry.after_end > 1 ? `, ${entry.after_end} after its end` : "";
    return `${plural(entry.count, "look")}${every}${after}`;
  },
  twin: (entry) => `${entry.apart_s < 0 ? "Earlier" : "Another"} create with the same body`,
  ledger: (entry) =>
    ({ held: "Held", spent: "Spent", given_back: "Given back" })[entry.moved] ?? entry.moved,
  state: (entry) => `${entry.state}${entry.by === "hand" ? ", by hand" : ""}`,
  delivery: (entry) => (entry.given_up ? "Given up" : `Event ${entry.event}`),
  attempt: (entry) =>
    `Attempt ${entry.attempt.split("_").at(-1)}: ${entry.status ?? "no answer"}${tookOf(entry)}`,
  no_delivery: () => "No callback",
  clock: (entry) => {
    if (entry.moves) return `Clock moved ${entry.moves} times, ${durationText(entry.sum_ms)} in all`;
    if (entry.to > entry.at) return `Clock moved ${durationText(msBetween(entry.at, entry.to))} ahead`;
    return entry.mode === "frozen" ? "Clock frozen" : "Clock runs";
  },
  fault: (entry) => `Fault ${entry.what === "bitten" ? "happened" : entry.what}: ${entry.scenario ?? entry.fault}`,
};

function outcomeOf(entry) {
  if (entry.ended_at === null) return "under way";
  if (entry.status === null) return "no answer";
  return entry.ended_by === "answered" ? String(entry.status) : `${entry.status}, not delivered`;
}

function tookOf(entry) {
  const ms = entry.ended_at === null ? 0 : msBetween(entry.at, entry.ended_at);
  return ms > 0 ? ` in ${durationText(ms)}` : "";
}

/** The money at each entry: `[text, title, hasMoved]`. `price`: of the task. */
export function moneyOf(entries) {
  let standing = "";
  return entries.map((entry) => {
    if (entry.type === "ledger") {
      standing = `${counted(entry.amount)} ${{ held: "held", spent: "spent", given_back: "back" }[entry.moved]}`;
      if (entry.available === null) return [standing, "", true];
      const before = counted(entry.available - entry.change);
      const sum = entry.change === 0 ? counted(entry.available) : `${before} to ${counted(entry.available)}`;
      return [`${standing} · ${sum}`, `credits that ${entry.account} can spend: ${sum}`, true];
    }
    if (entry.type === "twin") {
      return [`${counted(entry.price_credits)} more`, "the price of the other task", true];
    }
    return [standing, "", false];
  });
}
