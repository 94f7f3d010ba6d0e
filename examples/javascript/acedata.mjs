/** A client of Ace Data Cloud's Hailuo videos and a receiver of its callbacks. */

import { createHmac, timingSafeEqual } from "node:crypto";

import {
  NotSent,
  StillRunning,
  Unavailable,
  bytesOf,
  parsed,
  readAnswer,
  save,
  send,
  sleep,
  withRetries,
} from "./client_common.mjs";

/**
 * An order has no answer, or a 5xx. It is unknown whether it was accepted.
 *
 * Ace Data Cloud has no idempotency key: a second order may be charged again. An accepted order
 * still has its callback, so a callbackUrl with a name of the order returns the task's id.
 */
export class MaybeCharged extends Error {
  name = "MaybeCharged";
}

/** The video was not made. */
export class TaskFailed extends Error {
  name = "TaskFailed";
}

/** Makes videos. A read without an answer is sent again; an order only if none was accepted. */
export class AceData {
  #url;
  #headers;
  #sleep;

  /** headers: added to every request. sleep: the function that waits. */
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
   * Order a video with a request that is held open until the video is finished. Throws
   * MaybeCharged, also after the five minutes that Node.js waits for an answer. `submit` and `wait`
   * have no such limit.
   */
  async generate({ prompt, firstImageUrl }) {
    const answer = await this.#order({ prompt, firstImageUrl }, 300);
    return outcomeOf(answer.task_id, answer);
  }

  /** Order a video; the task's id. callbackUrl: use another URL for each order. */
  async submit(order) {
    return (await this.#order({ ...order, isAsync: true }, 30)).task_id;
  }

  /** A task as it is now: { id, state, videoUrl, failure }. Costs nothing. */
  get(id) {
    const isRepeatable = (error) => error instanceof Unavailable || isRateLimited(error);
    const body = { action: "retrieve", id };
    return withRetries(
      async () => outcomeOf(id, (await this.#send("/hailuo/tasks", body, 30)).response),
      { isRepeatable, sleep: this.#sleep },
    );
  }

  /**
   * Poll until the video is finished, as often as is advised: after 5 s, then longer, up to 30 s.
   * Throws TaskFailed, or StillRunning in the end.
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

  /** Save the whole video of a task, or no file. */
  download(task, file) {
    const isRepeatable = (error) => error instanceof Unavailable;
    return withRetries(() => save(task.videoUrl, file), { isRepeatable, sleep: this.#sleep });
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
    const isRepeatable = (error) => error instanceof NotSent || isRateLimited(error);
    try {
      return await withRetries(() => this.#send("/hailuo/videos", body, timeoutS), {
        isRepeatable,
        sleep: this.#sleep,
      });
    } catch (error) {
      if (!(error instanceof Unavailable) || error instanceof NotSent) throw error;
      throw new MaybeCharged(error.message, { cause: error });
    }
  }

  async #send(path, body, timeoutS) {
    const answer = await send(this.#url + path, {
      method: "POST",
      headers: this.#headers,
      body,
      timeoutS,
    });
    return readAnswer(answer, answer.body?.trace_id);
  }
}

/**
 * A listener for `http.createServer` that handles the end of each task once.
 *
 * A signature is optional: only an order with a callbackSecret can have one. A callback without a
 * signature may be forged, so its task is read from the API.
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
    const fields = parsed(body);
    const id = fields?.task_id;
    if (typeof id === "string" && !seen.has(id)) {
      seen.add(id);
      try {
        const task = isSigned ? outcomeOf(id, fields) : await lookUp(id);
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

const isRateLimited = (error) => error.code === "too_many_requests";

/** The task in a held-open answer, a callback, or the `response` of a task object. */
function outcomeOf(id, outcome) {
  if (outcome?.success === true && outcome.data?.length) {
    return { id, state: "succeeded", videoUrl: outcome.data[0].video_url };
  }
  if (outcome?.success === false) return { id, state: "failed", failure: outcome.error?.message };
  return { id, state: "running" };
}
