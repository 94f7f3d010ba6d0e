/** One world: its URLs and keys, and the calls about what is in it. */

import { Clock } from "./clock.js";
import { Faults } from "./faults.js";
import { Inbox } from "./inbox.js";
import { failure, lineOf } from "./report.js";
import { RequestCalls } from "./requests.js";

/** @typedef {import("./door.js").Options} Options */
/** @typedef {import("./door.js").Schemas} Schemas */
/** @typedef {Schemas["Task"]["api"]} Api */

const WORLD = "/_mock/worlds/{world}";
const ACCOUNTS = "/_mock/worlds/{world}/accounts";
const ACCOUNT = "/_mock/worlds/{world}/accounts/{account}";
const LEDGER = "/_mock/worlds/{world}/accounts/{account}/ledger";
const TASKS = "/_mock/worlds/{world}/tasks";
const TASK = "/_mock/worlds/{world}/tasks/{task_id}";
const STORY = "/_mock/worlds/{world}/tasks/{task_id}/story";
const DELIVERIES = "/_mock/worlds/{world}/deliveries";
const DELIVERY = "/_mock/worlds/{world}/deliveries/{delivery_id}";
const JUDGEMENT = "/_mock/worlds/{world}/judgement";
const SNAPSHOT = "/_mock/worlds/{world}/snapshot";

/** The time limit of a judgement: a long journal takes some seconds. */
const JUDGING_S = 120;

/** @typedef {import("./door.js").BodyOf<"post", typeof JUDGEMENT>} Judging */

/**
 * One world. Its bodies and answers have the names of the control door.
 *
 * url: the base URL of all APIs in this world. plainUrl: of the server, where a request belongs to
 * the world of its key. mediaUrl: the start of the URLs of videos. clock: its time. faults: what
 * goes wrong in it.
 */
export class World extends RequestCalls {
  /**
   * @param {import("./door.js").Door} door of the server
   * @param {Schemas["WorldFacts"]} facts
   */
  constructor(door, facts) {
    super(door.with({ world: facts.name }));
    this.name = facts.name;
    this.seed = facts.seed;
    this.keys = facts.keys;
    this.url = facts.base_url;
    this.plainUrl = facts.plain_base_url;
    this.mediaUrl = facts.media_url;
    this.clock = new Clock(this.door);
    this.faults = new Faults(this.door);
  }

  /** A key of Rivya's. */
  get rivyaKey() {
    return this.keyOf("rivya");
  }

  /** A token of Ace Data Cloud's. */
  get acedataToken() {
    return this.keyOf("acedata");
  }

  /**
   * A key with all permissions at this API.
   *
   * @param {Api} api
   */
  keyOf(api) {
    const found = this.keys.find((key) => key.api === api);
    if (!found) throw new Error(`the world '${this.name}' was made without a key for ${api}`);
    return found.key;
  }

  // --- accounts ---------------------------------------------------------------------------------

  /**
   * Every account, with its credits and keys.
   *
   * @param {Options} [options]
   */
  async accounts(options) {
    return (await this.door.call("get", ACCOUNTS, options)).accounts;
  }

  /**
   * The credits of an account: granted = available + reserved + spent.
   *
   * @param {string} account
   * @param {Options} [options]
   */
  async credits(account, options) {
    return (await this.door.call("get", ACCOUNT, { ...options, params: { account } })).ledger;
  }

  /**
   * The movements of an account's credits, in the order in which they happened.
   *
   * @param {string} account
   * @param {import("./door.js").QueryOf<"get", typeof LEDGER>} [query]
   * @param {Options} [options]
   */
  ledger(account, query, options) {
    return this.door.call("get", LEDGER, { ...options, params: { account }, query });
  }

  /**
   * @param {import("./door.js").BodyOf<"post", typeof ACCOUNTS>} body
   * @param {Options} [options]
   */
  makeAccount(body, options) {
    return this.door.call("post", ACCOUNTS, { ...options, body });
  }

  /**
   * Set the credits that an account can spend, or issue and replace keys.
   *
   * @param {string} account
   * @param {import("./door.js").BodyOf<"patch", typeof ACCOUNT>} body
   * @param {Options} [options]
   */
  changeAccount(account, body, options) {
    return this.door.call("patch", ACCOUNT, { ...options, params: { account }, body });
  }

  // --- tasks ------------------------------------------------------------------------------------

  /**
   * Every task of all APIs, the oldest first.
   *
   * @param {Options} [options]
   */
  async tasks(options) {
    return (await this.door.call("get", TASKS, options)).tasks;
  }

  /**
   * One task, as it is now.
   *
   * @param {string} task_id
   * @param {Options} [options]
   */
  task(task_id, options) {
    return this.door.call("get", TASK, { ...options, params: { task_id } });
  }

  /**
   * End a task now: credits are settled, held requests answered, and callbacks are due.
   *
   * @param {string} task_id
   * @param {import("./door.js").BodyOf<"post", "/_mock/worlds/{world}/tasks/{task_id}/finish">} [body]
   * @param {Options} [options]
   */
  finish(task_id, body = { state: "succeeded" }, options = {}) {
    return this.door.call("post", `${TASK}/finish`, { ...options, params: { task_id }, body });
  }

  /**
   * All that happened to a task, in order: requests, credits, states, attempts, faults.
   *
   * @param {string} task_id
   * @param {import("./door.js").QueryOf<"get", typeof STORY>} [query]
   * @param {Options} [options]
   */
  story(task_id, query, options) {
    return this.door.call("get", STORY, { ...options, params: { task_id }, query });
  }

  // --- callbacks and webhooks -------------------------------------------------------------------

  /**
   * Every callback and webhook, sent or still to be sent, the oldest first.
   *
   * @param {Options} [options]
   */
  async deliveries(options) {
    return (await this.door.call("get", DELIVERIES, options)).deliveries;
  }

  /**
   * Make one more attempt at a delivery, due now.
   *
   * @param {string} delivery_id
   * @param {Options} [options]
   */
  redeliver(delivery_id, options) {
    const params = { delivery_id };
    return this.door.call("post", `${DELIVERY}/redeliver`, { ...options, params });
  }

  /**
   * The signed request of a task's end that would be sent now; nothing is sent. Its bytes:
   * `Buffer.from(request.body_base64, "base64")`.
   *
   * @param {string} task_id
   * @param {import("./door.js").QueryOf<"get", "/_mock/worlds/{world}/tasks/{task_id}/signed_request">} [query]
   * @param {Options} [options]
   */
  signedRequest(task_id, query, options) {
    const call = { ...options, params: { task_id }, query };
    return this.door.call("get", `${TASK}/signed_request`, call);
  }

  /**
   * A receiver inside the server, by any name.
   *
   * @param {string} name
   */
  inbox(name) {
    const url = `${this.plainUrl}/_mock/inbox/${this.name}/${encodeURIComponent(name)}`;
    return new Inbox(this.door, name, url);
  }

  // --- faults and judgement ---------------------------------------------------------------------

  /**
   * Add faults, call a function, and remove them: `Faults.during`.
   *
   * @template T
   * @param {import("./faults.js").FaultPlan} plan
   * @param {(faults: import("./faults.js").Fault[]) => T | Promise<T>} block
   * @param {Options & { mustHappen?: boolean }} [options]
   */
  withFault(plan, block, options) {
    return this.faults.during(plan, block, options);
  }

  /**
   * What the client did wrong in this world, with the evidence. Nothing changes.
   *
   * @param {Judging} [body]
   * @param {Options} [options]
   */
  judge(body = {}, options = {}) {
    return this.door.call("post", JUDGEMENT, { ...options, body, timeoutS: JUDGING_S });
  }

  /**
   * Assert that the client did nothing wrong in this world. Throws AssertionError with every
   * finding; notes are none.
   *
   * @param {Judging} [body]
   * @param {Options} [options]
   */
  async assertClean(body, options) {
    const judgement = await this.judge(body, options);
    if (judgement.findings.length === 0) return judgement;
    const lines = judgement.findings.map(({ code, name, sentence, credits_lost, fix }) => {
      const lost = credits_lost > 0 ? ` (${credits_lost} credits)` : "";
      return [`${code} ${name}${lost}: ${sentence}`, ...fix].join("\n  ");
    });
    throw failure(lines, judgement, this.assertClean);
  }

  // --- the whole world --------------------------------------------------------------------------

  /**
   * The whole world as one document; the same text for the same world.
   *
   * @param {Options} [options]
   */
  snapshot(options) {
    return this.door.text("get", SNAPSHOT, options);
  }

  /**
   * Replace the world with a snapshot, of this world or another.
   *
   * @param {string} snapshot
   * @param {Options} [options]
   */
  async restore(snapshot, options) {
    await this.door.text("put", SNAPSHOT, { ...options, body: snapshot });
  }

  /**
   * Reset the world to how it was made.
   *
   * @param {Options} [options]
   */
  async reset(options) {
    await this.door.call("post", `${WORLD}/reset`, options);
  }

  /**
   * Drop the world and everything in it.
   *
   * @param {Options} [options]
   */
  async drop(options) {
    await this.door.call("delete", WORLD, options);
  }

  /**
   * The world, its requests and the credits of its accounts, for the report of a failed test.
   *
   * @param {Options} [options]
   */
  async report(options) {
    const { requests, evicted } = await this.journal({}, options);
    const credits = (await this.accounts(options)).map(
      ({ name, ledger }) =>
        `${name}: ${ledger.available} available, ${ledger.reserved} reserved, ${ledger.spent} spent`,
    );
    return [
      `hailuo-mock world ${this.name} at ${this.url}, seed ${this.seed}`,
      ...(evicted > 0 ? [`${evicted} requests before these are no longer kept`] : []),
      ...requests.map(lineOf),
      ...(requests.length > 0 ? [] : ["no request came"]),
      ...credits,
    ].join("\n");
  }
}
