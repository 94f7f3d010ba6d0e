/** A client of Ace Data Cloud's Hailuo videos and a receiver of its callbacks. */

import { createHmac, timingSafeEqual } from "node:crypto";

import { NotSent, Unavailable, bytesOf, parsed, patiently, save, send, sleep } from "./patience.mjs";

/** Ace Data Cloud said no. traceId is what its support asks for. */
export class Refused extends Error {
  constructor(status, { code, message }, traceId, retryAfterS) {
    super(`${code}: ${message} (${traceId})`);
    Object.assign(this, { name: "Refused", status, code, traceId, retryAfterS });
  }
}

/**
 * An order got no answer, or a 5xx; nobody can tell from that whether it was taken.
 *
 * There is no idempotency key: ordering again may pay twice. The callback of an order that was
 * taken comes all the same, so a callbackUrl with the order's name in it brings the task's id.
 */
export class MaybeCharged extends Error {
  name = "MaybeCharged";
}

/** The video was not made. */
export class TaskFailed extends Error {
  name = "TaskFailed";
}

/** The task did not end in time. It goes on. */
export class StillRunning extends Error {
  name = "StillRunning";
}

/** Makes videos. Looks are asked again when they got no answer, orders only if none was taken. */
export class AceData {
  #url;
  #headers;
  #sleep;

  /** headers: more of them, for every request. sleep: how seconds pass. */
  constructor({
    token,
    baseUrl = "https://api.acedata.cloud",
    headers = {},
    sleep: pass = sleep,
  }) {
    this.#url = baseUrl.replace(/\/$/, "");
    this.#headers = { ...headers, Authorization: `Bearer ${token}` };
    this.#sleep = pass;
  }

  /**
   * Order a video and wait on the open line. Throws MaybeCharged, also when the five minutes are
   * over that Node.js waits for an answer; `submit` and `wait` know no such end.
   */
  async generate({ prompt, firstImageUrl }) {
    const answer = await this.#order({ prompt, firstImageUrl }, 300);
    return outcomeOf(answer.task_id, answer);
  }

  /** Order a video; the task's id. callbackUrl: give each order one of its own. */
  async submit(order) {
    return (await this.#order({ ...order, isAsync: true }, 30)).task_id;
  }

  /** A task as it is now: { id, state, videoUrl, failure }. Costs nothing. */
  get(id) {
    const isWorthIt = (error) => error instanceof Unavailable || isTooMany(error);
    const body = { action: "retrieve", id };
    return patiently(
      async () => outcomeOf(id, (await this.#ask("/hailuo/tasks", body, 30)).response),
      { isWorthIt, sleep: this.#sleep },
    );
  }

  /**
   * Look until the video is there, as often as is advised: after 5 s, then ever slower up to 30 s.
   * Throws TaskFailed, and StillRunning in the end.
   */
  async wait(id, { maxWaitS = 1800 } = {}) {
    let pauseS = 5;
    for (let waitedS = 0; waitedS < maxWaitS; waitedS += pauseS) {
      pauseS = waitedS === 0 ? 5 : Math.min(30, pauseS * 1.5);
      await this.#sleep(pauseS);
      const task = await this.get(id);
      if (task.state === "failed") throw new TaskFailed(`${id}: ${task.failure}`);
      if (task.state === "succeeded") return task;
    }
    throw new StillRunning(id);
  }

  /** Save the video of a task: all of it, or no file. */
  download(task, file) {
    const isWorthIt = (error) => error instanceof Unavailable;
    return patiently(() => save(task.videoUrl, file), { isWorthIt, sleep: this.#sleep });
  }

  async #order({ prompt, firstImageUrl, callbackUrl, callbackSecret, isAsync }, timeoutS) {
    const body = {
      action: "generate",
      model: firstImageUrl === undefined ? "minimax-t2v" : "minimax-i2v",
      prompt,
      first_image_url: firstImageUrl,
      callback_url: callbackUrl,
      callback_secret: callbackSecret,
      async: isAsync,
    };
    const isWorthIt = (error) => error instanceof NotSent || isTooMany(error);
    try {
      return await patiently(() => this.#ask("/hailuo/videos", body, timeoutS), {
        isWorthIt,
        sleep: this.#sleep,
      });
    } catch (error) {
      if (!(error instanceof Unavailable) || error instanceof NotSent) throw error;
      throw new MaybeCharged(error.message, { cause: error });
    }
  }

  async #ask(path, body, timeoutS) {
    const answer = await send(this.#url + path, {
      method: "POST",
      headers: this.#headers,
      body,
      timeoutS,
    });
    if (answer.isFine && answer.body) return answer.body;
    const { error, trace_id } = answer.body ?? {};
    if (error?.code && answer.status < 500) {
      throw new Refused(answer.status, error, trace_id, answer.retryAfterS);
    }
    const said = error?.code ?? "nothing that can be read";
    throw new Unavailable(`status ${answer.status}: ${said}`, answer);
  }
}

/**
 * A listener for `http.createServer` that takes the end of each task once.
 *
 * A signature is optional: it comes only if the order held a callbackSecret, and perhaps not even
 * then. An unsigned callback is no more than a hint, so its task is looked up.
 * lookUp: the client's `get`. onTask: called with each task that has ended; if it throws, the
 * callback is answered 500.
 */
export function acedataCallbacks({ lookUp, onTask, secret }) {
  const seen = new Set();
  return async (request, response) => {
    const body = await bytesOf(request);
    const signature = request.headers["x-callback-signature"];
    const isSigned = signature !== undefined && secret !== undefined;
    if (isSigned && !isRight(signature, secret, body)) {
      response.writeHead(400).end();
      return;
    }
    const told = parsed(body);
    const id = told?.task_id;
    if (typeof id === "string" && !seen.has(id)) {
      seen.add(id);
      try {
        const task = isSigned ? outcomeOf(id, told) : await lookUp(id);
        if (task.state === "running") seen.delete(id);
        else await onTask(task);
      } catch {
        seen.delete(id);
        response.writeHead(500).end();
        return;
      }
    }
    response.writeHead(200).end();
  };
}

/** `X-Callback-Signature` is the hex HMAC-SHA256 of the body. */
function isRight(signature, secret, body) {
  const right = createHmac("sha256", secret).update(body).digest();
  const given = Buffer.from(signature, "hex");
  return given.length === right.length && timingSafeEqual(given, right);
}

const isTooMany = (error) => error.code === "too_many_requests";

/** What became of a task: a held-open answer, a callback, the `response` of a task object. */
function outcomeOf(id, outcome) {
  if (outcome?.success === true && outcome.data?.length) {
    return { id, state: "succeeded", videoUrl: outcome.data[0].video_url };
  }
  if (outcome?.success === false) return { id, state: "failed", failure: outcome.error?.message };
  return { id, state: "running" };
}
