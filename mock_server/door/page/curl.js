// A recorded request as a curl command.

const TRANSPORT_HEADERS = new Set([
  "accept-encoding",
  "connection",
  "content-length",
  "host",
  "keep-alive",
  "transfer-encoding",
]);
const HEADERS_OF_CURL = new Set(["user-agent", "accept"]);

/** The command. It has the key again, which the journal hides, if the world has that key. */
export function curlCommand(request, world) {
  const query = request.query ? `?${request.query}` : "";
  const parts = [`curl ${quoted(baseOf(world) + encodeURI(request.path) + query)}`];
  const hasBody = request.request.size_bytes > 0;
  if (request.method !== (hasBody ? "POST" : "GET")) parts[0] += ` -X ${request.method}`;
  for (const [name, value] of request.request.headers) {
    if (TRANSPORT_HEADERS.has(name) || HEADERS_OF_CURL.has(name)) continue;
    parts.push(
      `-H ${quoted(`${name}: ${name === "authorization" ? credential(request, world, value) : value}`)}`,
    );
  }
  if (!hasBody) return joined(parts);
  const rest = isWhole(request.request) ? "" : " # only the beginning of the body was kept";
  if (isText(request.request)) {
    return joined([...parts, `--data-raw ${quoted(request.request.body)}${rest}`]);
  }
  const bytes = `echo ${request.request.body_base64} | base64 -d |`;
  return `${bytes} ${joined([...parts, `--data-binary @-${rest}`])}`;
}

const joined = (parts) => parts.join(" \\\n  ");

/** Whether all of a body was kept. */
export function isWhole({ size_bytes: size, body_base64: kept }) {
  return size === undefined || size === atob(kept).length;
}

/** The base URL of a world for a client with a key. */
export function baseOf(world) {
  return world.name === "default" ? world.plain_base_url : world.base_url;
}

/** Whether a body is text. */
export const isText = (message) => !message.body.includes("\ufffd") && !message.body.includes("\0");

/** A text, quoted as one word of a shell command. */
export const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function credential(request, world, value) {
  const key = world.keys.find(
    (each) => each.account === request.account && each.api === request.api,
  );
  const scenario = request.channel === "key" ? `+${request.scenario.replaceAll(", ", "+")}` : "";
  return key === undefined ? value : `Bearer ${key.key}${scenario}`;
}
