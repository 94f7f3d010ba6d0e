/** A server: started here, or running already. */

import { ControlError, Door } from "./door.js";
import { spawnServer } from "./process.js";
import { World } from "./world.js";

/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").BodyOf<"post", "/_mock/worlds">} WorldPlan */

/** A server. url: its base URL. door: calls to any route of `/_mock/control.json`. */
export class Server {
  #stop;

  /**
   * @param {string} url
   * @param {{ token?: string | undefined, stop?: () => Promise<void> }} [how]
   */
  constructor(url, { token, stop = async () => {} } = {}) {
    this.url = url;
    this.token = token;
    this.door = new Door(url, token);
    this.#stop = stop;
  }

  /**
   * Make a world: `{ credits: 60, clock: { mode: "frozen" } }`, with `name` and `seed`.
   *
   * @param {WorldPlan} [plan]
   * @param {Options} [options]
   */
  async world(plan = {}, options = {}) {
    return this.#world(await this.door.call("post", "/_mock/worlds", { ...options, body: plan }));
  }

  /**
   * A world that exists already.
   *
   * @param {string} [name]
   * @param {Options} [options]
   */
  async find(name = "default", options = {}) {
    const call = { ...options, params: { world: name } };
    return this.#world(await this.door.call("get", "/_mock/worlds/{world}", call));
  }

  /**
   * Every world, the oldest first. With the URL of a proxy of several processes, those of all.
   *
   * @param {Options} [options]
   */
  async worlds(options) {
    const { shard } = await this.version(options);
    const count = shard === null ? 0 : Number(shard.split("/")[1]);
    const beginnings = count ? Array.from({ length: count }, (_, number) => `/w/w${number}`) : [""];
    const lists = await Promise.all(
      beginnings.map((beginning) => this.#worldsOf(`${this.url}${beginning}`, options)),
    );
    return lists.flat().map((facts) => this.#world(facts));
  }

  /**
   * The version of the server, and its APIs.
   *
   * @param {Options} [options]
   */
  version(options) {
    return this.door.call("get", "/_mock/version", options);
  }

  /**
   * Every scenario, by name: what can go wrong.
   *
   * @param {Options} [options]
   */
  async scenarios(options) {
    return (await this.door.call("get", "/_mock/scenarios", options)).scenarios;
  }

  /**
   * Why a request was answered as it was. Its id is in the answer's header `Mock-Request`.
   *
   * @param {string} request_id
   * @param {Options} [options]
   */
  explain(request_id, options) {
    const call = { ...options, params: { request_id } };
    return this.door.call("get", "/_mock/explain/{request_id}", call);
  }

  /**
   * The counters of the server since its start, as text for Prometheus.
   *
   * @param {Options} [options]
   */
  metrics(options) {
    return this.door.text("get", "/_mock/metrics", options);
  }

  /** Stop a server that was started here. A server that was running already goes on. */
  stop() {
    return this.#stop();
  }

  /**
   * The worlds of one process; none, if the URL does not lead to it.
   *
   * @param {string} url
   * @param {Options} [options]
   */
  async #worldsOf(url, options) {
    try {
      return (await new Door(url, this.token).call("get", "/_mock/worlds", options)).worlds;
    } catch (error) {
      if (error instanceof ControlError && error.status === 421) return [];
      throw error;
    }
  }

  /** @param {import("./door.js").Schemas["WorldFacts"]} facts */
  #world(facts) {
    return new World(this.door, facts);
  }
}

/**
 * Start a server on a free port. It stops with `stop`, or when this process is gone. Throws
 * ControlError.
 *
 * @param {import("./process.js").StartOptions} [options]
 */
export async function start(options = {}) {
  const { url, stop } = await spawnServer(options);
  const token = options.settings?.control_token ?? process.env.HAILUO_MOCK_CONTROL_TOKEN;
  return new Server(url, { token: token === undefined ? token : String(token), stop });
}

/**
 * The server at a URL, or at that of HAILUO_MOCK_URL, with the token of HAILUO_MOCK_CONTROL_TOKEN.
 * Throws ControlError if no hailuo-mock answers there.
 *
 * @param {string} [url]
 * @param {Options & { token?: string }} [options]
 */
export async function attach(url = process.env.HAILUO_MOCK_URL, options = {}) {
  if (!url) throw new TypeError("attach needs a URL, or the environment variable HAILUO_MOCK_URL");
  const { token = process.env.HAILUO_MOCK_CONTROL_TOKEN, signal } = options;
  const server = new Server(url.trim().replace(/\/+$/, ""), { token });
  await server.version({ signal });
  return server;
}

/**
 * The server at HAILUO_MOCK_URL; without this variable, one that is started.
 *
 * @param {import("./process.js").StartOptions} [options]
 */
export function startOrAttach(options) {
  return process.env.HAILUO_MOCK_URL?.trim() ? attach() : start(options);
}
