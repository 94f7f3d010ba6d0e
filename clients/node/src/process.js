/** Starts `hailuo-mock serve` as a child process that ends with this one. */

import { spawn } from "node:child_process";
import { once } from "node:events";

import { ControlError } from "./door.js";

const START_S = 30;
const STOP_S = 5;
const KEPT_LOG = 4096;

/**
 * command: the program and its first arguments; otherwise HAILUO_MOCK_COMMAND, or `hailuo-mock` on
 * the path. settings: by their dotted names, such as `{ "tasks.queued_s": 0, seed: 7 }`. env: further
 * environment variables. cwd: its folder, where it reads hailuo-mock.toml. signal: ends the start.
 *
 * @typedef {{
 *   command?: string | string[],
 *   settings?: Record<string, unknown>,
 *   env?: Record<string, string>,
 *   cwd?: string,
 *   signal?: AbortSignal,
 * }} StartOptions
 */

/**
 * Start a server on a free port; its URL and a function that stops it. It also stops when this
 * process is gone, however that happened: its stdin then ends. Throws ControlError.
 *
 * @param {StartOptions} options
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 */
export async function spawnServer({ command, settings = {}, env = {}, cwd, signal }) {
  signal?.throwIfAborted();
  const [program, ...first] = words(command ?? process.env.HAILUO_MOCK_COMMAND ?? "hailuo-mock");
  const child = spawn(program, [...first, "serve", "--port", "0", "--stop-with-stdin"], {
    cwd,
    env: { ...process.env, ...env, ...variables(settings) },
    stdio: ["pipe", "pipe", "pipe"],
    windowsHide: true,
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (log = (log + text).slice(-KEPT_LOG)));
  child.stdin.on("error", () => {}); // it has ended already
  const stop = () => stopped(child);
  try {
    const url = await readyUrl(child, signal);
    // The server does not keep this process running.
    child.unref();
    for (const pipe of [child.stdin, child.stdout, child.stderr]) {
      /** @type {import("node:net").Socket} */ (/** @type {unknown} */ (pipe)).unref();
    }
    return { url, stop };
  } catch (error) {
    child.kill("SIGKILL");
    await stop();
    signal?.throwIfAborted();
    const code = /** @type {NodeJS.ErrnoException} */ (error).code;
    const why = code === "ENOENT" ? notFound(program) : /** @type {Error} */ (error).message;
    throw new ControlError([`hailuo-mock did not start: ${why}`, log.trim()].join("\n").trim());
  }
}

/**
 * The URL in the ready line of a server.
 *
 * @param {import("node:child_process").ChildProcessByStdio<any, import("node:stream").Readable, any>} child
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
function readyUrl(child, signal) {
  const limit = AbortSignal.timeout(1000 * START_S);
  return new Promise((resolve, reject) => {
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (text) => {
      printed = (printed + text).slice(-KEPT_LOG);
      const ready = /^{"event":"ready".*}$/m.exec(printed);
      if (ready) resolve(JSON.parse(ready[0]).url);
    });
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`it ended with exit code ${code}`)));
    limit.onabort = () => reject(new Error(`it was not ready within ${START_S} s`));
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

/** @param {import("node:child_process").ChildProcess} child */
async function stopped(child) {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  child.ref();
  const late = setTimeout(() => child.kill("SIGKILL"), 1000 * STOP_S);
  child.stdin?.end();
  await once(child, "exit");
  clearTimeout(late);
}

/** @param {string | string[]} command */
function words(command) {
  return typeof command === "string" ? command.trim().split(/\s+/) : command;
}

/**
 * Settings as environment variables of the server.
 *
 * @param {Record<string, unknown>} settings
 */
function variables(settings) {
  return Object.fromEntries(
    Object.entries(settings).map(([name, value]) => [
      `HAILUO_MOCK_${name.toUpperCase().replaceAll(".", "_")}`,
      textOf(value),
    ]),
  );
}

/**
 * The text of a setting: lists are separated by commas, accounts are JSON.
 *
 * @param {unknown} value
 */
function textOf(value) {
  const isList = Array.isArray(value) && value.every((each) => typeof each !== "object");
  if (isList) return value.join(",") || "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** @param {string} program */
function notFound(program) {
  return [
    `there is no program '${program}' on the path. Do one of these:`,
    "  - install it, with Python 3.11 or later: pipx install git+URL_OF_THE_REPOSITORY",
    '  - set HAILUO_MOCK_COMMAND="uvx --from git+URL_OF_THE_REPOSITORY hailuo-mock", or a path',
    "  - set HAILUO_MOCK_URL=http://127.0.0.1:4010, to use a server that runs already",
  ].join("\n");
}
