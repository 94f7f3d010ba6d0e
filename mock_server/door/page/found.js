// Asks the server for items of one kind: those that match a search, or older ones.

import { ask, inWorld } from "./door.js";

const PAGE = 200;
const SELECTIONS = { failed: ["failed", "true"], charged: ["charged", "true"], scenario: ["scenario", "any"] };

/**
 * A page of items, the newest first, and whether there are older ones. `only`: the chosen chips:
 * "failed", "charged", "scenario", or the name of an API. `before`: the id of the oldest known item.
 */
export async function readPage(world, kind, { words = "", only = [], before = null }, signal) {
  const query = new URLSearchParams({ kind, limit: PAGE });
  if (words.trim() !== "") query.set("q", words);
  for (const chip of only) query.set(...(SELECTIONS[chip] ?? ["api", chip]));
  if (before !== null) query.set("before", before);
  const answer = await ask("GET", inWorld(world, `/search?${query}`), { signal });
  return { items: answer[kind].reverse(), more: answer.more.includes(kind) };
}
