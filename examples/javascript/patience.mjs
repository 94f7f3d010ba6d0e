/** What both clients do about answers that do not come, and about videos. */

import { createWriteStream } from "node:fs";
import { rename } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout } from "node:timers/promises";

/** No answer, or none that can be read. What was asked may have happened all the same. */
export class Unavailable extends Error {
  /** @param {number} [retryAfterS] when the answer said to come back */
  constructor(message, { retryAfterS, cause } = {}) {
    super(message, { cause });
    this.name = "Unavailable";
    this.retryAfterS = retryAfterS;
  }
}

/** Nobody was there to take the request: it is safe to send again. */
export class NotSent extends Unavailable {
  name = "NotSent";
}

/** How seconds pass, unless a client is told otherwise. */
export const sleep = (seconds) => setTimeout(1000 * seconds);

/**
 * Ask up to five times, as long as asking again is worth it: when the answer said, else after
 * 1, 2, 4 … s and up to 1 s by chance.
 */
export async function patiently(ask, { isWorthIt, sleep, attempts = 5 }) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (attempt === attempts || !isWorthIt(error)) throw error;
      await sleep(error.retryAfterS ?? Math.min(30, 2 ** (attempt - 1)) + Math.random());
    }
  }
}

/**
 * Send a request and read its answer: { status, isFine, body, retryAfterS }, where body is
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
      isFine: response.ok,
      body: parsed(text),
      retryAfterS: seconds(response.headers.get("retry-after")),
    };
  } catch (error) {
    const cause = error.cause ?? error;
    const Kind = ["ECONNREFUSED", "ENOTFOUND"].includes(cause.code) ? NotSent : Unavailable;
    throw new Kind(`no answer from ${url}: ${cause.message}`, { cause: error });
  }
}

/** Save a video: all of it, or no file. No credentials go to the media host. */
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
    throw new Unavailable(`the download of ${url} broke off`, { cause: error });
  }
  await rename(part, file);
}

/** The body of a request to a server, byte for byte: that is what was signed. */
export async function bytesOf(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What JSON says; undefined for anything else. */
export function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function seconds(text) {
  return /^\d+$/.test(text ?? "") ? Number(text) : undefined;
}
