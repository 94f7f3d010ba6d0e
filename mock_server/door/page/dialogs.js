// Questions to the person, one at a time, over the page.

import { h, problemSlot, tell } from "./elements.js";

/**
 * Ask with a form of these fields. `act(values)` is tried when it is sent: what it throws is told in
 * the dialog, and the person can try again. Answers with what `act` did, or null if it was closed,
 * which one that `must` be answered cannot be.
 */
export function dialog({
  title,
  text = "",
  fields = [],
  submit,
  danger = false,
  must = false,
  act,
}) {
  return new Promise((resolve) => {
    const problem = problemSlot();
    const send = h("button", { type: "submit", class: danger ? "main danger" : "main" }, submit);
    const cancel = h("button.quiet", { type: "button", onclick: () => box.close() }, "Cancel");
    const form = h(
      "form",
      h("h2", title),
      text && h("p", text),
      ...fields.map((field) =>
        h("label", field.label, field.input, field.hint && h("span.hint", field.hint)),
      ),
      problem,
      h("div.buttons", send, must ? null : cancel),
    );
    const box = h("dialog", { "aria-label": title }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        tell(problem, null);
        result = await act();
        box.close();
      } catch (error) {
        tell(problem, error);
      }
    });
    box.addEventListener("cancel", (event) => must && event.preventDefault());
    box.addEventListener("close", () => {
      box.remove();
      resolve(result);
    });
    document.body.append(box);
    box.showModal();
  });
}

/** The token of a locked door, as the person types it. */
export function askForToken(sentence, wasWrong) {
  const input = h("input", {
    type: "password",
    autocomplete: "off",
    required: true,
    spellcheck: "false",
  });
  return dialog({
    title: "The control door is locked",
    text: wasWrong
      ? `That was not it: ${sentence}.`
      : "This server was started with --control-token. Type that token.",
    fields: [
      { label: "Control token", input, hint: "Kept until this tab is closed, and in no address." },
    ],
    submit: "Unlock",
    must: true,
    act: async () => input.value,
  });
}
