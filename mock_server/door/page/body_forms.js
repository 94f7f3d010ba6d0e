// Forms for the body of a request: JSON, or the parts of an upload.

import { h, setText } from "./elements.js";
import { fieldInput, labelled } from "./form_fields.js";
import { fieldsOf, setValueAt, valueAt } from "./schema_fields.js";

/** The form for a body: `node`, and `content()`: what is sent, with its content type. */
export function bodyForm(body) {
  if (body === null) return { node: null, content: () => ({}) };
  return body.mediaType.startsWith("multipart/") ? partsForm(body) : jsonForm(body);
}

/** Fields and the text that is sent; each follows the other. What is no JSON is sent as it is. */
function jsonForm({ mediaType, schema, examples, resolve }) {
  const fields = fieldsOf(schema, resolve);
  const text = h("textarea.mono", { rows: "9", spellcheck: "false", oninput: () => readText() });
  const state = h("p.hint", { role: "status" });
  const inputs = fields
    .filter(({ kind }) => !["json", "file"].includes(kind))
    .map((field) => fieldInput(field, () => takeOver(field.path)));
  const only = fields.filter(({ kind }) => kind === "json").map(({ path }) => path.join("."));
  const group = h("div.fields", ...inputs.map(({ node }) => node));

  function show(value) {
    text.value = JSON.stringify(value, null, 2);
    readText();
  }

  function takeOver(path) {
    const value = parsed() ?? {};
    setValueAt(value, path, inputs.find((input) => input.path === path).read());
    text.value = JSON.stringify(value, null, 2);
  }

  function readText() {
    const value = parsed();
    for (const input of inputs) input.write(value === null ? undefined : valueAt(value, input.path));
    group.inert = value === null;
    setText(state, value === null ? "This is no object of JSON. It is sent as it is." : "");
  }

  function parsed() {
    try {
      const value = JSON.parse(text.value);
      return value !== null && typeof value === "object" && !Array.isArray(value) ? value : null;
    } catch {
      return null;
    }
  }

  const offered = [...examples, { name: "Nothing", value: {} }];
  const choose = h(
    "select",
    { onchange: () => show(offered[choose.selectedIndex].value) },
    ...offered.map(({ name }) => h("option", name)),
  );
  show(offered[0].value);
  return {
    node: h(
      "div.body-form",
      labelled("Begin with", choose),
      group,
      labelled("Body as it is sent", text),
      state,
      only.length > 0 && h("p.hint", `Only in the text: ${only.join(", ")}.`),
    ),
    content: () => ({ body: text.value, contentType: mediaType }),
  };
}

function partsForm({ schema, resolve }) {
  const inputs = fieldsOf(schema, resolve)
    .filter(({ kind }) => kind !== "json")
    .map((field) => fieldInput(field));
  return {
    node: h("div.fields", ...inputs.map(({ node }) => node)),
    content() {
      const form = new FormData();
      for (const { path, read } of inputs) {
        const value = read();
        if (value !== undefined) form.append(path.join("."), value instanceof File ? value : String(value));
      }
      return { body: form };
    },
  };
}
