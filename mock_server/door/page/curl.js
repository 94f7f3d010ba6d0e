// A recorded request as a command to paste.

const OF_THE_TRANSPORT = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
]);
const CURLS_OWN = new Set(["user-agent", "accept"]);

/** The command. What was hidden in the journal is put in again: the key, as far as it is known. */
export function asCurl(request, world) {
  const query = request.query ? `?${request.query}` : "";
  const parts = [`curl ${quoted(baseOf(world) + encodeURI(request.path) + query)}`];
  const hasBody = request.request.size_bytes > 0;
  if (request.method !== (hasBody ? "POST" : "GET")) parts[0] += ` -X ${request.method}`;
  for (const [name, value] of request.request.headers) {
    if (OF_THE_TRANSPORT.has(name) || CURLS_OWN.has(name)) continue;
    parts.push(
      `-H ${quoted(`${name}: ${name === "authorization" ? credential(request, world, value) : value}`)}`,
    );
  }
  if (!hasBody) return together(parts);
  const rest = isWhole(request.request) ? "" : " # only the beginning of the body was kept";
  if (isText(request.request)) {
    return together([...parts, `--data-raw ${quoted(request.request.body)}${rest}`]);
  }
  const bytes = `echo ${request.request.body_base64} | base64 -d |`;
  return `${bytes} ${together([...parts, `--data-binary @-${rest}`])}`;
}

const together = (parts) => parts.join(" \\\n  ");

/** Whether all of a body was kept. */
export function isWhole({ size_bytes: size, body_base64: kept }) {
  return size === undefined || size === atob(kept).length;
}

/** Where a client reaches a world with no more than this and a key. */
export function baseOf(world) {
  return world.name === "default" ? world.plain_base_url : world.base_url;
}

/** Whether a body came through as text: nothing in it was replaced because it could not be read. */
export const isText = (message) => !message.body.includes("\ufffd") && !message.body.includes("\0");

/** The same text as one word of a shell. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function credential(request, world, value) {
  const key = world.keys.find(
    (each) => each.account === request.account && each.api === request.api,
  );
  const scenario = request.channel === "key" ? `+${request.scenario.replaceAll(", ", "+")}` : "";
  return key === undefined ? value : `Bearer ${key.key}${scenario}`;
}
