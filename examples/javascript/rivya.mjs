/** A client of the Rivya Public API v1 and a receiver of its webhooks, with nothing but Node.js. */

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";

import { Unavailable, bytesOf, patiently, save, send, sleep } from "./patience.mjs";

/** Rivya said no. code is its contract; requestId is what its support asks for. */
export class Refused extends Error {
  constructor(status, { code, message, requestId }, retryAfterS) {
    super(`${code}: ${message} (${requestId})`);
    Object.assign(this, { name: "Refused", status, code, requestId, retryAfterS });
  }
}

/** The video was not made; its credits have been given back. */
export class GenerationFailed extends Error {
  name = "GenerationFailed";
}

/** The generation did not end in time. It goes on, and so does its reservation. */
export class StillRunning extends Error {
  name = "StillRunning";
}

/** Makes videos. Whatever is safe to ask twice is asked again when it got no answer. */
export class Rivya {
  #url;
  #headers;
  #sleep;

  /** headers: more of them, for every request. sleep: how seconds pass. */
  constructor({ key, baseUrl = "https://rivya.ai", headers = {}, sleep: pass = sleep }) {
    this.#url = `${baseUrl.replace(/\/$/, "")}/api/v1`;
    this.#headers = { ...headers, Authorization: `Bearer ${key}` };
    this.#sleep = pass;
  }

  /** What the account can spend. */
  async credits() {
    return (await this.#patiently(() => this.#ask("GET", "/credits"))).current_credits;
  }

  /**
   * Order a video; its price is reserved.
   *
   * order: what the same order is called each time. Ordering again under that name finds the same
   * generation and costs nothing, also from another process; without one every call is new.
   */
  create({ prompt, model = "hailuo-pro", params, order = randomUUID() }) {
    const body = { model, prompt, params };
    const headers = { "Idempotency-Key": order };
    return this.#patiently(async () =>
      generationOf(await this.#ask("POST", "/generations", body, headers)),
    );
  }

  /** A generation as it is now. */
  get(id) {
    return this.#patiently(async () => generationOf(await this.#ask("GET", `/generations/${id}`)));
  }

  /**
   * Look until the video is there, as often as Rivya advises: after 2.5 s, 5 s, then ever slower
   * up to 10 s. Throws GenerationFailed, and StillRunning in the end.
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

  /** Save the video of a generation: all of it, or no file. */
  download(generation, file) {
    return this.#patiently(() => save(generation.result.primary_url, file));
  }

  /** Have events sent to a URL. Not asked again: a second endpoint would get them all too. */
  async makeWebhook(url) {
    const event_types = ["generation.succeeded", "generation.failed"];
    const made = await this.#ask("POST", "/webhooks", { url, event_types });
    return { id: made.id, secret: made.signing_secret };
  }

  #patiently(ask) {
    const isWorthIt = (error) => error instanceof Unavailable || error.code === "rate_limited";
    return patiently(ask, { isWorthIt, sleep: this.#sleep });
  }

  async #ask(method, path, body, headers = {}) {
    const answer = await send(this.#url + path, {
      method,
      headers: { ...this.#headers, ...headers },
      body,
      timeoutS: 30,
    });
    if (answer.isFine && answer.body) return answer.body;
    const { error } = answer.body ?? {};
    if (error?.code && answer.status < 500) {
      throw new Refused(answer.status, error, answer.retryAfterS);
    }
    const said = error?.code ?? "nothing that can be read";
    throw new Unavailable(`status ${answer.status}: ${said}`, answer);
  }
}

/** How old a signature may be, or how far ahead of our clock. Not documented by Rivya. */
const TOLERANCE_S = 300;

/**
 * A listener for `http.createServer` that takes each event once, in whatever order they come.
 *
 * onEvent: called with each new event; if it throws, Rivya is asked to send the event again.
 * now: seconds since 1970. What was seen is kept in memory; a service of several processes keeps
 * it in a table with the event's id as the key.
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

/** `t=SECONDS,v1=HEX`, over the seconds, a dot and the very bytes of the body. */
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
  throw new Unavailable("no generation can be read from the answer");
}
