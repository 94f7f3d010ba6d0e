// Replaces secrets in a recorded exchange before it is shown, as the server does in its journal.

const HIDDEN = "[redacted]";
const SHORTEST = 8; // letters of a credential that is also looked for elsewhere
const OF_HEADERS =
  /^(?:.*[-_])?(?:authorization|authentication|auth|bearer|cookie2?|credentials?|jwt|password|secret|session|token|(?:api)?key)$/i;
const NO_CREDENTIALS = new Set(["idempotency-key", "sec-websocket-key"]);
const NAME =
  "[\\w.-]{0,40}(?:token|secret|password|passwd|credentials?|authorization|signature|jwt|api[_-]?key)|key|auth|sig|bearer";
const MEMBERS = new RegExp(`("(?:${NAME})"\\s*:\\s*)(?:"(?:[^"\\\\]|\\\\.)*"|[^\\s,}\\]]+)`, "gi");
const PARAMETERS = new RegExp(`((?:^|[?&#])(?:${NAME})=)[^&#\\s"'<>]+`, "gi");
const USERS = /(:\/\/)[^\s/?#"'<>@]+@/g;
const KEYS = /\bwhsec_[\w+/=-]+|\b[a-z]{2,10}_(?:sk|pk|live|test)_[\w-]+|\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;

/** The exchange without credentials: in headers, in fields with such a name, and repeated in text. */
export function withoutSecrets(exchange) {
  const messages = [exchange.request, exchange.answer].filter(Boolean);
  const known = messages
    .flatMap(({ headers }) => headers.filter(([name]) => isCredential(name)))
    .flatMap(([, value]) => [value, ...value.split(/[\s;,]+/)])
    .filter((value) => value.length >= SHORTEST)
    .sort((one, other) => other.length - one.length);
  const hide = (text) =>
    known
      .reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), text)
      .replace(MEMBERS, `$1"${HIDDEN}"`)
      .replace(PARAMETERS, `$1${HIDDEN}`)
      .replace(USERS, `$1${HIDDEN}@`)
      .replace(KEYS, HIDDEN);
  const shown = (message) =>
    message && {
      ...message,
      headers: message.headers.map(([name, value]) => [
        name,
        isCredential(name) ? HIDDEN : hide(value),
      ]),
      body: hide(message.body),
    };
  return {
    ...exchange,
    path: hide(exchange.path),
    query: hide(exchange.query),
    request: shown(exchange.request),
    answer: shown(exchange.answer),
  };
}

const isCredential = (name) => OF_HEADERS.test(name) && !NO_CREDENTIALS.has(name);
