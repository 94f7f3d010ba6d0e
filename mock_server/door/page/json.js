// JSON with line breaks and colours. Numbers stay as written: the text is not encoded again.

import { h } from "./elements.js";

const TOKENS = /"(?:[^"\\]|\\.)*"|[-+.\w]+|[{}[\],:]/g;

/** Nodes that show a JSON text line by line; null if it is no JSON. */
export function prettyJson(text) {
  try {
    JSON.parse(text);
  } catch {
    return null;
  }
  return [...formatted(text.match(TOKENS))];
}

function* formatted(tokens) {
  let depth = 0;
  const line = () => `\n${"  ".repeat(depth)}`;
  for (const [place, token] of tokens.entries()) {
    const next = tokens[place + 1];
    if (token === "{" || token === "[") {
      const isEmpty = next === "}" || next === "]";
      depth += 1;
      yield isEmpty ? token : token + line();
    } else if (token === "}" || token === "]") {
      depth -= 1;
      const wasEmpty = "{[".includes(tokens[place - 1]);
      yield wasEmpty ? token : line() + token;
    } else if (token === ",") {
      yield token + line();
    } else if (token === ":") {
      yield ": ";
    } else {
      yield h("span", { class: kindOf(token, next) }, token);
    }
  }
}

function kindOf(token, next) {
  if (token.startsWith('"')) return next === ":" ? "name" : "text";
  return /^[-\d]/.test(token) ? "number" : "literal";
}
