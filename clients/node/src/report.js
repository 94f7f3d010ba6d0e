/** Texts for the report of a failed test. */

import { AssertionError } from "node:assert";

/**
 * A request and its answer in one line.
 *
 * @param {import("./door.js").Schemas["Exchange"]} exchange
 */
export function lineOf({ id, method, path, status, ended_at, faults, scenario, without, refusal }) {
  const fault = faults.length > 0 ? `  by ${scenario ?? "a fault"}, otherwise ${without}` : "";
  const missing = ended_at === null ? "under way" : "no answer";
  return `${id}  ${method} ${path} -> ${status ?? missing}${fault}${refusal ? `  ${refusal}` : ""}`;
}

/**
 * The failure of an assertion about what the server has found.
 *
 * @param {string[]} lines
 * @param {object} actual
 * @param {Function} stackStartFn
 */
export function failure(lines, actual, stackStartFn) {
  return new AssertionError({ message: lines.join("\n"), actual, stackStartFn });
}
