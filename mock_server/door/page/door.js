// Asking the control door. Nothing else on the page knows its address or its token.

const TOKEN = "hailuo-mock control token";

/** Where the server is: the page may be reached below a proxy's path, or below /w/WORLD. */
const root = new URL(location.pathname.replace(/(\/w\/[^/]+)?\/_mock\/.*$/, "/"), location.origin);

/** What the door said no with, in its own words. */
export class Problem extends Error {
  constructor(status, body) {
    const places = (body.errors ?? []).map((each) => `${each.pointer} ${each.detail}`.trim());
    // A title of several places repeats them; a detail says what there was instead.
    const more = [body.detail, ...places].filter((text) => text && !body.title.includes(text));
    super([body.title, ...more].join("\n"));
    this.status = status;
  }
}

/** Nobody answers at the server's address. */
export class Gone extends Error {
  constructor() {
    super("The server does not answer.");
  }
}

/** The address of something on the server. */
export const addressOf = (path) => new URL(path.replace(/^\//, ""), root).href;

/** The path of something in a world, below the door. */
export const inWorld = (world, path = "") => `/_mock/worlds/${encodeURIComponent(world)}${path}`;

let askForToken = async () => null;
let asking = null;

/** Who is asked for the token when the door is locked: `ask(sentence)` answers with it. */
export function whenLocked(ask) {
  askForToken = ask;
}

/** The door's answer. Throws Problem if it says no, Gone if nobody answers. */
export async function ask(method, path, { body, signal } = {}) {
  const token = sessionStorage.getItem(TOKEN);
  const response = await send(method, path, token, body, signal);
  const answer = await read(response);
  if (response.ok) return answer;
  if (response.status !== 401) throw new Problem(response.status, answer);
  await unlock(token, answer.title);
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
    throw error.name === "AbortError" ? error : new Gone();
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

/** All who find the door locked wait for one answer of the person. */
async function unlock(tried, sentence) {
  if (sessionStorage.getItem(TOKEN) !== tried) return; // somebody has just said another one
  asking ??= askForToken(sentence, tried !== null).finally(() => {
    asking = null;
  });
  const token = await asking;
  sessionStorage.setItem(TOKEN, token);
}
