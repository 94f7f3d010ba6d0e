// Reads recorded exchanges from a HAR file, in this page.

import { statusOf } from "./exchange_words.js";
import { withoutSecrets } from "./secrets.js";

const MOST_BYTES = 50_000_000;

/** The exchanges of a file, without secrets. Throws an Error that says what is wrong with it. */
export async function readHar(file) {
  if (file.size > MOST_BYTES) throw new Error(`${file.name} has more than ${MOST_BYTES / 1e6} MB.`);
  let har;
  try {
    har = JSON.parse((await file.text()).replace(/^\ufeff/, ""));
  } catch (error) {
    throw new Error(`${file.name} is no JSON, so it is no HAR file: ${error.message}`);
  }
  const entries = har?.log?.entries;
  if (!Array.isArray(entries)) {
    throw new Error(`${file.name} is no HAR file: it has no list "entries" in "log".`);
  }
  if (entries.length === 0) throw new Error(`${file.name} has no exchanges.`);
  return entries.map((entry, place) => {
    try {
      return withoutSecrets(exchangeOf(entry));
    } catch {
      throw new Error(`${file.name}: log.entries[${place}] has no request with a method and a URL.`);
    }
  });
}

/** Its method, its path and its status. */
export const nameOf = (exchange) => `${exchange.method} ${exchange.path} ${statusOf(exchange)}`;

function exchangeOf({ request, response, startedDateTime = "" }) {
  const url = new URL(request.url);
  const status = response?.status > 0 ? response.status : null;
  return {
    method: String(request.method),
    path: url.pathname,
    query: url.search.slice(1),
    status,
    ended_at: startedDateTime,
    request: messageOf(request.headers, request.postData?.text),
    answer: status && messageOf(response.headers, textOf(response.content)),
  };
}

function messageOf(headers, body) {
  const named = (headers ?? []).map(({ name, value }) => [String(name).toLowerCase(), String(value)]);
  return { headers: named.filter(([name]) => !name.startsWith(":")), body: String(body ?? "") };
}

function textOf(content) {
  if (content?.encoding !== "base64") return content?.text;
  const bytes = Uint8Array.from(atob(content.text ?? ""), (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
