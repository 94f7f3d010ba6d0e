// Folds moves of the clock that follow each other, so that a story stays short.

import { msBetween } from "./moments.js";

/**
 * The entries, with one in place of several moves of the clock. Only what a move itself causes (a
 * state, credits) may stand between them. `moves`: how many one entry has in it.
 */
export function foldedMoves(entries) {
  const folded = [];
  let run = null; // the place of the entry that takes in the next move
  for (const entry of entries) {
    if (isMove(entry)) {
      if (run !== null) {
        folded[run] = joined(folded[run], entry);
        continue;
      }
      run = folded.length;
    } else if (!["state", "ledger", "no_delivery"].includes(entry.type)) run = null;
    folded.push(entry);
  }
  return folded;
}

const isMove = (entry) => entry.type === "clock" && entry.to > entry.at;

function joined(one, other) {
  const moves = (one.moves ?? 1) + 1;
  const sum_ms = (one.sum_ms ?? msBetween(one.at, one.to)) + msBetween(other.at, other.to);
  return { ...one, to: other.to, moves, sum_ms, why: null };
}
