// A recorded request as a test for pytest, which sends it again.

/** The text of the test. Without an answer, it expects that none comes. */
export function exampleTest(exchange, task) {
  const query = exchange.query ? `?${exchange.query}` : "";
  const names = exchange.scenario?.split(", ") ?? [];
  const faults = names.map((name) => `    with world.fault(${quoted(name)}, times=1):`);
  const indent = "    ".repeat(names.length);
  const expected =
    exchange.status === null
      ? ["with pytest.raises(OSError):", `    send(request)`]
      : [`assert send(request) == ${exchange.status}`];
  return [
    '"""A request that was recorded by hailuo-mock. It needs the `world` of its pytest plugin."""',
    "",
    "from urllib.error import HTTPError",
    "from urllib.request import Request, urlopen",
    "",
    "import pytest",
    "",
    `BODY = ${quoted(exchange.request.body)}`,
    "",
    "",
    "def send(request):",
    "    try:",
    "        with urlopen(request, timeout=10) as answer:",
    "            answer.read()",
    "            return answer.status",
    "    except HTTPError as refused:",
    "        return refused.code",
    "",
    "",
    "def test_the_recorded_request(world):",
    `    key = next(each.key for each in world.keys if each.api == ${quoted(task.api)})`,
    "    request = Request(",
    `        world.plain_url + ${quoted(exchange.path + query)},`,
    `        BODY.encode() or None,`,
    `        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},`,
    `        method=${quoted(exchange.method)},`,
    "    )",
    ...nested(faults),
    ...expected.map((line) => `    ${indent}${line}`),
    "",
  ].join("\n");
}

/** Each `with` inside the one before. */
const nested = (lines) => lines.map((line, depth) => "    ".repeat(depth) + line);

/** A text as a literal of Python: that of JSON is one, for text without lone surrogates. */
const quoted = (text) => JSON.stringify(text).replaceAll("\u007f", "\\u007f");
