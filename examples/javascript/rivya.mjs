/** A client of the Rivya Public API v1 and a receiver of its webhooks, with nothing but Node.js. */

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

import {
  StillRunning,
  Unavailable,
  bytesOf,
  readAnswer,
  save,
  send,
  sleep,
  withRetries,
} from "./client_common.mjs";

/** The generation failed. Its credits have been refunded. */
export class GenerationFailed extends Error {
  name = "GenerationFailed";
}

/** Makes videos. A request without an answer is sent again if that is safe. */
export class Rivya {
  #url;
  #headers;
  #sleep;

  /** headers: added to every request. sleep: the function that waits. */
  constructor({ key, baseUrl = "https://rivya.ai", headers = {}, sleep: pass = sleep }) {
    this.#url = `${baseUrl.replace(/\/$/, "")}/api/v1`;
    this.#headers = { ...headers, Authorization: `Bearer ${key}` };
    this.#sleep = pass;
  }

  /** The available credits of the account. */
  async credits() {
    return (await this.#withRetries(() => this.#send("GET", "/credits"))).current_credits;
  }

  /**
   * Order a video. Its price is reserved.
   *
   * order: a name for the order. A second call with the same name returns the same generation and
   * costs nothing, also in another process. Without a name every call is a new order.
   */
  create({ prompt, model = "hailuo-pro", params, order = randomUUID() }) {
    const body = { model, prompt, params };
    const headers = { "Idempotency-Key": order };
    return this.#withRetries(async () =>
      generationOf(await this.#send("POST", "/generations", body, headers)),
    );
  }

  /** A generation as it is now. */
  get(id) {
    const path = `/generations/${id}`;
    return this.#withRetries(async () => generationOf(await this.#send("GET", path)));
  }

  /**
   * Poll until the video is finished, as often as Rivya advises: after 2.5 s, 5 s, then longer, up
   * to 10 s. Throws GenerationFailed, or StillRunning in the end.
   */
  async wait(id, { maxWaitS = 1800 } = {}) {
    let pauseS = 2.5;
    for (let waitedS = 0; waitedS < maxWaitS; waitedS += pauseS) {
      pauseS = waitedS === 0 ? 2.5 : Math.min(10, Math.max(5, pauseS * 1.2));
      await this.#sleep(pauseS);
      const generation = await this.get(id);
      if (generation.status === "failed") {
        throw new GenerationFailed(`${id}: ${generation.error?.message ?? "no reason was given"}`);
      }
      if (generation.status === "succeeded" && generation.result?.primary_url) return generation;
    }
    throw new StillRunning(id);
  }

  /** Save the whole video of a generation, or no file. */
  download(generation, file) {
    return this.#withRetries(() => save(generation.result.primary_url, file));
  }

  /** Create an endpoint. It is not retried: a second endpoint would get all events, too. */
  async makeWebhook(url) {
    const event_types = ["generation.succeeded", "generation.failed"];
    const made = await this.#send("POST", "/webhooks", { url, event_types });
    return { id: made.id, secret: made.signing_secret };
  }

  #withRetries(call) {
    const isRepeatable = (error) => error instanceof Unavailable || error.code === "rate_limited";
    return withRetries(call, { isRepeatable, sleep: this.#sleep });
  }

  async #send(method, path, body, headers = {}) {
    const answer = await send(this.#url + path, {
      method,
      headers: { ...this.#headers, ...headers },
      body,
      timeoutS: 30,
    });
    return readAnswer(answer, answer.body?.error?.requestId);
  }
}

/** How far the time of a signature may be from our clock. Rivya does not document it. */
const TOLERANCE_S = 300;

/**
 * A listener for `http.createServer` that handles each event once, in any order.
 *
 * onEvent: called with each new event; if it throws, the answer is 500 and Rivya sends the event
 * again. now: seconds since 1970. The ids of handled events are in memory. A service of several
 * processes needs a table with the event's id as its key.
 */
export function rivyaWebhooks({ secret, onEvent, now = () => Date.now() / 1000 }) {
  const seen = new Set();
  return async (request, response) => {
    const body = await bytesOf(request);
    if (!isSigned(request.headers["rivya-signature"] ?? "", secret, body, await now())) {
      response.writeHead(400).end();
      return;
    }
    const event = JSON.parse(body);
    if (!seen.has(event.id)) {
      seen.add(event.id);
      try {
        await onEvent(event);
      } catch {
        seen.delete(event.id);
        response.writeHead(500).end();
        return;
      }
    }
    response.writeHead(200).end();
  };
}

/** Check `t=SECONDS,v1=HEX`, over the seconds, a dot and the bytes of the body. */
function isSigned(signature, secret, body, nowS) {
  const fields = signature.split(",").map((field) => field.split("="));
  const valuesOf = (name) => fields.filter(([each]) => each === name).map(([, value]) => value);
  const [time] = valuesOf("t");
  if (!/^\d+$/.test(time ?? "") || Math.abs(nowS - Number(time)) > TOLERANCE_S) return false;
  const right = createHmac("sha256", secret).update(`${time}.`).update(body).digest();
  return valuesOf("v1").some((hex) => {
    const given = Buffer.from(hex, "hex");
    return given.length === right.length && timingSafeEqual(given, right);
  });
}

function generationOf(body) {
  if (typeof body.id === "string" && typeof body.status === "string") return body;
  throw new Unavailable("the answer has no generation");
}
