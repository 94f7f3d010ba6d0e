// Sends a request to an API, and finds it in the journal.

import { addressOf, ask, inWorld } from "./door.js";

/**
 * Send a request to a world. Resolves with the id of the request in the journal, with its answer as
 * JSON (null if it is none), and with the milliseconds it took. `error`: there was no whole answer.
 * `before`: the ids of the same request, sent before; a browser repeats a request by itself if its
 * connection was reset.
 */
export async function sendRequest(world, { method, path, query, headers, body }, signal) {
  const known = (await own(world, method, path)).map(({ id }) => id);
  const prefix = world === "default" ? "" : `/w/${encodeURIComponent(world)}`;
  const began = performance.now();
  let id = null;
  let answer = null;
  let error = null;
  try {
    const address = addressOf(`${prefix}${path}${query && `?${query}`}`);
    const response = await fetch(address, { method, headers, body, signal, cache: "no-store" });
    id = response.headers.get("Mock-Request");
    answer = parsed(await response.text());
  } catch (problem) {
    error = problem;
  }
  const took_ms = Math.round(performance.now() - began);
  const sent = (await own(world, method, path)).map((each) => each.id).filter((each) => !known.includes(each));
  id ??= sent.at(-1) ?? null;
  return { id, answer, took_ms, error, before: sent.slice(0, Math.max(0, sent.indexOf(id))) };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The newest requests of this browser to a path: without an answer, no header names the request. */
async function own(world, method, path) {
  const query = new URLSearchParams({ method, path: decodeURIComponent(path), limit: 20 });
  const { requests } = await ask("GET", inWorld(world, `/requests?${query}`));
  return requests.filter(({ request }) =>
    request.headers.some(([name, value]) => name === "user-agent" && value === navigator.userAgent),
  );
}
