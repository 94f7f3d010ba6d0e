// A request or an answer with its headers and body.

import { isText, isWhole } from "./curl.js";
import { copyButton, counted, h } from "./elements.js";
import { prettyJson } from "./json.js";

/** A box with a first line, folded headers, and the body. `message` may be null. */
export function messageBox(title, firstLine, message) {
  const box = h("section.message", h("h3", title), h("p.mono.line", firstLine));
  if (message === null) return box;
  if (message.headers.length > 0) box.append(headersFold(message.headers));
  box.append(bodyBox(message));
  return box;
}

function headersFold(headers) {
  const lines = headers.flatMap(([name, value]) => [h("dt", name), h("dd", value)]);
  const count = headers.length === 1 ? "1 header" : `${headers.length} headers`;
  return h("details", h("summary", count), h("dl.headers.mono", ...lines));
}

function bodyBox(message) {
  const size = message.size_bytes ?? atob(message.body_base64).length;
  if (size === 0) return h("p.hint", "No body.");
  if (!isText(message)) return h("p.hint", `${counted(size)} bytes that are not text.`);
  const shown = prettyJson(message.body) ?? [message.body];
  const box = h(
    "div.body",
    copyButton("Copy", () => message.body, "Copy the body"),
    h("pre.mono", { tabindex: "0" }, ...shown),
  );
  if (!isWhole(message))
    box.append(
      h("p.hint", `The journal keeps only the beginning of these ${counted(size)} bytes.`),
    );
  return box;
}
