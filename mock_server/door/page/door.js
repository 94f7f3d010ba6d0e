// Requests to the control door. Only this module knows its address and its token.

const TOKEN = "hailuo-mock control token";

/** The base URL of the server; the page may be below a proxy's path, or below /w/WORLD. */
const root = new URL(location.pathname.replace(/(\/w\/[^/]+)?\/_mock\/.*$/, "/"), location.origin);

/** A refusal of the door, with its sentences. */
export class Problem extends Error {
  constructor(status, body) {
    const places = (body.errors ?? []).map((each) => `${each.pointer} ${each.detail}`.trim());
    // The title may repeat the places; `detail` says what came instead.
    const more = [body.detail, ...places].filter((text) => text && !body.title.includes(text));
    super([body.title, ...more].join("\n"));
    this.status = status;
  }
}

/** The server does not answer. */
export class Unreachable extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

/** The URL of a path of the server. */
export const addressOf = (path) => new URL(path.replace(/^\//, ""), root).href;

/** A path of the door below a world. */
export const inWorld = (world, path = "") => `/_mock/worlds/${encodeURIComponent(world)}${path}`;

let askForToken = async () => null;
let asking = null;

/** Set the function that asks for the token of a locked door: `ask(wasWrong)`. */
export function onLocked(ask) {
  askForToken = ask;
}

/** The JSON of an answer. Throws Problem for a refusal, Unreachable without an answer. */
export async function ask(method, path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const response = await send(method, path, token, body, signal);
  const answer = await read(response);
  if (response.ok) return answer;
  if (response.status !== 401) throw new Problem(response.status, answer);
  await unlock(token);
  return ask(method, path, { body, signal });
}

async function send(method, path, token, body, signal) {
  const headers = {};
  if (token !== null) headers["Mock-Control-Token"] = token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = body === undefined ? undefined : JSON.stringify(body);
  try {
    return await fetch(addressOf(path), { method, headers, body: sent, signal, cache: "no-store" });
  } catch (error) {
    throw error.name === "AbortError" ? error : new Unreachable();
  }
}

async function read(response) {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    return { title: `${response.status} ${response.statusText}: ${text.slice(0, 200)}` };
  }
}

/** Ask for the token; all requests that find the door locked share one dialog. */
async function unlock(used) {
  if (sessionStorage.getItem(TOKEN) !== used) return; // another request has just set it
  asking ??= askForToken(used !== null).finally(() => {
    asking = null;
  });
  const token = await asking;
  sessionStorage.setItem(TOKEN, token);
}
