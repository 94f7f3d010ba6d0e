// Two requests with their answers beside each other: what differs, and how much is equal.

import { h, plural } from "./elements.js";
import { statusOf, targetOf } from "./exchange_words.js";

const OF_TRANSPORT = new Set([
  "accept-encoding", "connection", "content-length", "date", "host", "mock-request", "transfer-encoding",
]);

/** A table of what differs. `names`: of the two requests, texts or nodes. */
export function comparison(one, other, names) {
  const [left, right] = [partsOf(one), partsOf(other)];
  const keys = [...new Set([...left.keys(), ...right.keys()])];
  const differing = keys
    .filter((key) => left.get(key) !== right.get(key))
    .sort((a, b) => isHeader(a) - isHeader(b)); // what people look for comes first
  const equal = keys.length - differing.length;
  const rows = differing.map((key) =>
    h("tr", h("th", { scope: "row" }, key), cell(left, right, key), cell(right, left, key)),
  );
  const head = h("tr", ...["What differs", ...names].map((name) => h("th", { scope: "col" }, name)));
  const summary = `${plural(differing.length, "difference")}; ${equal} equal.`;
  if (differing.length === 0) return h("p.hint", `No difference: all ${equal} parts are equal.`);
  return h(
    "div.comparison",
    h("p.hint", summary),
    h("table", h("thead", head), h("tbody", ...rows)),
  );
}

const isHeader = (key) => / header /.test(key);

/** A sign stands before the value, so that colour is not all that marks it. */
function cell(own, others, key) {
  if (!own.has(key)) return h("td.absent", "− absent");
  return h(others.has(key) ? "td.changed" : "td.extra", `${others.has(key) ? "≠" : "+"} ${own.get(key)}`);
}

/** The parts of an exchange by name: line, headers and fields, of the request and of the answer. */
function partsOf(exchange) {
  const parts = new Map([
    ["request", `${exchange.method} ${targetOf(exchange)}`],
    ["answer", statusOf(exchange)],
  ]);
  for (const side of ["request", "answer"]) {
    const message = exchange[side];
    if (message === null) continue;
    for (const [name, value] of message.headers) {
      if (!OF_TRANSPORT.has(name)) parts.set(`${side} header ${name}`, value);
    }
    for (const [pointer, value] of fieldsOf(message.body)) parts.set(`${side} ${pointer}`, value);
  }
  return parts;
}

function fieldsOf(body) {
  try {
    return leaves(JSON.parse(body), "");
  } catch {
    return body === "" ? [] : [["body", body]];
  }
}

function* leaves(value, pointer) {
  if (value === null || typeof value !== "object" || Object.keys(value).length === 0) {
    yield [pointer || "body", JSON.stringify(value)];
    return;
  }
  for (const [name, each] of Object.entries(value)) {
    yield* leaves(each, `${pointer}/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`);
  }
}
