/**
 * A request and its answer in one line.
 *
 * @param {import("./door.js").Schemas["Exchange"]} exchange
 */
export function lineOf({ id, method, path, status, ended_at, faults, scenario, without, refusal }: import("./door.js").Schemas["Exchange"]): string;
/**
 * The failure of an assertion about what the server has found.
 *
 * @param {string[]} lines
 * @param {object} actual
 * @param {Function} stackStartFn
 */
export function failure(lines: string[], actual: object, stackStartFn: Function): AssertionError;
import { AssertionError } from "node:assert";
