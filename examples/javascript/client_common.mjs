/** Parts that both clients share: errors, retries, reading answers, downloads. */

import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";

/** There is no answer, or none that can be read. The request may have been handled. */
export class Unavailable extends Error {
  /** @param {number} [retryAfterS] the wait that the answer asks for */
  constructor(message, { retryAfterS, cause } = {}) {
    super(message, { cause });
    this.name = "Unavailable";
    this.retryAfterS = retryAfterS;
  }
}

/** No server accepted the connection. It is safe to send the request again. */
export class NotSent extends Unavailable {
  name = "NotSent";
}

/** The API refused the request. requestId: the id that the vendor's support needs. */
export class Refused extends Error {
  constructor(status, { code, message }, requestId, retryAfterS) {
    super(`${code}: ${message} (${requestId})`);
    Object.assign(this, { name: "Refused", status, code, requestId, retryAfterS });
  }
}

/** The video was not finished in time. The API continues to work on it. */
export class StillRunning extends Error {
  name = "StillRunning";
}

/** The body of an answer of `send`. Throws Refused; Unavailable if the API itself failed. */
export function readAnswer(answer, requestId) {
  if (answer.isSuccess && answer.body) return answer.body;
  const error = answer.body?.error;
  if (error?.code && answer.status < 500) {
    throw new Refused(answer.status, error, requestId, answer.retryAfterS);
  }
  throw new Unavailable(`status ${answer.status}: ${error?.code ?? "no readable answer"}`, answer);
}

/** The default function that waits. */
export const sleep = (seconds) => setTimeout(1000 * seconds);

/** A longer wait is not waited for: the error is thrown, with the wait in `retryAfterS`. */
export const LONGEST_PAUSE_S = 120;

/**
 * Call a function up to five times while its error is repeatable. The wait is the one that the
 * answer asks for, or 1, 2, 4 … s plus up to 1 s at random.
 */
export async function withRetries(call, { isRepeatable, sleep, attempts = 5 }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call();
    } catch (error) {
      const isTooLong = error.retryAfterS > LONGEST_PAUSE_S;
      if (attempt === attempts || isTooLong || !isRepeatable(error)) throw error;
      await sleep(error.retryAfterS ?? Math.min(30, 2 ** (attempt - 1)) + Math.random());
    }
  }
}

/**
 * Send a request and read its answer: { status, isSuccess, body, retryAfterS }, where body is
 * undefined if it is no JSON. Throws Unavailable.
 */
export async function send(url, { method, headers, body, timeoutS }) {
  try {
    const response = await fetch(url, {
      method,
      headers: body === undefined ? headers : { ...headers, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(1000 * timeoutS),
    });
    const text = await response.text();
    return {
      status: response.status,
      isSuccess: response.ok,
      body: parsed(text),
      retryAfterS: seconds(response.headers.get("retry-after")),
    };
  } catch (error) {
    const cause = error.cause ?? error;
    const Kind = ["ECONNREFUSED", "ENOTFOUND"].includes(cause.code) ? NotSent : Unavailable;
    throw new Kind(`no answer from ${url}: ${cause.message}`, { cause: error });
  }
}

/** Save a whole video, or no file. The media host does not get the key. */
export async function save(url, file) {
  const part = `${file}.part`;
  try {
    const response = await fetch(url);
    if (response.status !== 200) {
      await response.body?.cancel();
      throw Object.assign(new Error(`status ${response.status} at ${url}`), { isRefusal: true });
    }
    await pipeline(Readable.fromWeb(response.body), createWriteStream(part));
  } catch (error) {
    if (error.isRefusal) throw error;
    throw new Unavailable(`the download of ${url} was interrupted`, { cause: error });
  }
  await rename(part, file);
}

/** The bytes of a request's body, which are what was signed. */
export async function bytesOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** The value of a JSON text; undefined for any other text. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function seconds(text) {
  if (/^\d+$/.test(text ?? "")) return Number(text);
  const date = Date.parse(text ?? "");
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
