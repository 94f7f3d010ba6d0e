// Inputs for the fields of a schema.

import { h } from "./elements.js";

let made = 0; // labelled inputs, for their ids

/** An input with its name before it, and a hint after it. */
export function labelled(name, input, { isRequired = false, hint = "" } = {}) {
  made += 1;
  input.id = `input-${made}`;
  if (hint) input.setAttribute("aria-describedby", `hint-${made}`);
  return h(
    "div.field",
    h("label.field-name", { for: input.id }, name, isRequired && h("span.needed", " needed")),
    input,
    hint && h("p.hint", { id: `hint-${made}`, title: hint }, hint),
  );
}

/**
 * An input for a field: `node` (with its label), `read()`: the value, undefined for none, and
 * `write(value)`. `onInput()`: called after each change by hand.
 */
export function fieldInput(field, onInput = () => {}) {
  const { path, isRequired, description: hint } = field;
  const make = { choice, flag: choice, choices, number, lines, file, text }[field.kind];
  const { node, read, write } = make(field, onInput);
  const name = path.join(".");
  if (field.kind !== "choices") {
    return { node: labelled(name, node, { isRequired, hint }), path, read, write };
  }
  const legend = h("legend.field-name", name, isRequired && h("span.needed", " needed"));
  return { node: h("fieldset.field", legend, node, hint && h("p.hint", hint)), path, read, write };
}

function choice({ options }, onInput) {
  const node = h(
    "select",
    { onchange: onInput },
    h("option", { value: "" }, "left out"),
    ...options.map((value) => h("option", { value: JSON.stringify(value) }, String(value))),
  );
  return {
    node,
    read: () => (node.value === "" ? undefined : JSON.parse(node.value)),
    write(value) {
      const text = value === undefined ? "" : JSON.stringify(value);
      node.value = [...node.options].some((each) => each.value === text) ? text : "";
    },
  };
}

function choices({ options }, onInput) {
  const boxes = options.map((value) => h("input", { type: "checkbox", value, onchange: onInput }));
  const node = h(
    "span.checks",
    ...boxes.map((box, place) => h("label", box, String(options[place]))),
  );
  return {
    node,
    read() {
      const chosen = options.filter((_, place) => boxes[place].checked);
      return chosen.length > 0 ? chosen : undefined;
    },
    write(value) {
      boxes.forEach((box, place) => {
        box.checked = Array.isArray(value) && value.includes(options[place]);
      });
    },
  };
}

function number(_, onInput) {
  return input("number", { type: "number", step: "any", oninput: onInput });
}

function text(_, onInput) {
  return input("string", { type: "text", autocomplete: "off", oninput: onInput });
}

/** An input for values of one type: "number" or "string". */
function input(kind, attributes) {
  const node = h("input", attributes);
  return {
    node,
    read: () => (node.value === "" ? undefined : kind === "number" ? Number(node.value) : node.value),
    write(value) {
      node.value = typeof value === kind ? value : "";
    },
  };
}

function lines(_, onInput) {
  const node = h("textarea", { rows: "2", placeholder: "one a line", oninput: onInput });
  return {
    node,
    read() {
      const items = node.value.split("\n").filter(Boolean);
      return items.length > 0 ? items : undefined;
    },
    write(value) {
      node.value = Array.isArray(value) ? value.join("\n") : "";
    },
  };
}

function file(_, onInput) {
  const node = h("input", { type: "file", onchange: onInput });
  return { node, read: () => node.files[0], write() {} };
}
