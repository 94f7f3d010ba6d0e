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
export function spawnServer({ command, settings, env, cwd, signal }: StartOptions): Promise<{
    url: string;
    stop: () => Promise<void>;
}>;
/**
 * command: the program and its first arguments; otherwise HAILUO_MOCK_COMMAND, or `hailuo-mock` on
 * the path. settings: by their dotted names, such as `{ "tasks.queued_s": 0, seed: 7 }`. env: further
 * environment variables. cwd: its folder, where it reads hailuo-mock.toml. signal: ends the start.
 */
export type StartOptions = {
    command?: string | string[];
    settings?: Record<string, unknown>;
    env?: Record<string, string>;
    cwd?: string;
    signal?: AbortSignal;
};
