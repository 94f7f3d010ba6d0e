// Modal dialogs.

import { h, problemSlot, showProblem } from "./elements.js";

/**
 * Show a form with these fields. Submitting it runs `act()`; an error is shown in the dialog, which
 * stays open. `content`: nodes to read in place of fields. Resolves with the result of `act`, or with null if the dialog was closed. One that
 * `must` be answered cannot be closed.
 */
export function dialog({
  title,
  text = "",
  fields = [],
  content = null,
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
      content,
      ...fields.map((field) =>
        h("label", field.label, field.input, field.hint && h("span.hint", field.hint)),
      ),
      problem,
      h("div.buttons", send, must || content ? null : cancel),
    );
    const box = h("dialog", { "aria-label": title }, form);
    let result = null;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      try {
        showProblem(problem, null);
        result = await act();
        box.close();
      } catch (error) {
        showProblem(problem, error);
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

/** Ask for the token of a locked door. */
export function askForToken(wasWrong) {
  const input = h("input", {
    type: "password",
    autocomplete: "off",
    required: true,
    spellcheck: "false",
  });
  return dialog({
    title: "The control door is locked",
    text: wasWrong
      ? "That token is wrong. Type the one that this server was started with (--control-token)."
      : "This server was started with --control-token. Type that token.",
    fields: [
      { label: "Control token", input, hint: "Kept until this tab is closed, and never in a URL." },
    ],
    submit: "Unlock",
    must: true,
    act: async () => input.value,
  });
}
