// The view that sends requests: a form for each operation of the APIs, and the answer.

import { apiNames, titleOf } from "./apis.js";
import { bodyForm } from "./body_forms.js";
import { h, problemSlot, setText, showProblem } from "./elements.js";
import { labelled } from "./form_fields.js";
import { readOperations } from "./operations.js";
import { grouped } from "./scenario_groups.js";
import { sendRequest } from "./send_request.js";
import { SentAnswer } from "./sent_answer.js";

/** The panel. `context.reveal(kind, id)` opens a view; `scenarios()`: those that the server has. */
export function sendPanel(panel, context) {
  let facts = null;
  let reading = null; // the promise of all operations: a form is not built a second time from a second answer
  let wanted = null; // the operation that the address names
  let given = {}; // values for the parameters of the operation that is opened next
  let shown = null; // the form that is shown
  const problem = problemSlot();
  const choose = h("select", { onchange: () => context.reveal("send", choose.value) });
  const place = h("div");
  panel.append(h("div.operation", labelled("Operation", choose)), problem, place);

  async function open() {
    let operations;
    try {
      reading ??= readOperations();
      operations = await reading;
      showProblem(problem, null);
    } catch (error) {
      reading = null;
      showProblem(problem, error);
      return;
    }
    offer(operations);
    const chosen = operations.find(({ id }) => id === wanted) ?? operations[0];
    if (wanted !== null && chosen.id !== wanted) {
      showProblem(problem, new Error(`The APIs have no operation '${wanted}'.`));
    }
    choose.value = chosen.id;
    if (shown?.operation === chosen && Object.keys(given).length === 0) return;
    shown = operationForm(chosen, given, () => facts, { ...context, lead });
    given = {};
    const hadFocus = place.contains(document.activeElement);
    place.replaceChildren(shown.node);
    if (hadFocus) choose.focus();
    shown.show();
  }

  function offer(operations) {
    if (choose.options.length > 0) return;
    const groups = [...apiNames(), ""].map((api) => {
      const own = operations.filter((each) => each.api === api);
      const options = own.map(({ id, summary, method }) => h("option", { value: id }, `${summary} (${method})`));
      return own.length > 0 && h("optgroup", { label: titleOf(api) || "Others" }, ...options);
    });
    choose.append(...groups.filter(Boolean));
  }

  /** Open the operation of a link, with values for its parameters. */
  function lead(id, parameters) {
    given = parameters;
    if (wanted === id) open();
    else context.reveal("send", id);
  }

  return {
    view({ id }) {
      wanted = id;
      if (facts !== null) open();
    },
    show(now) {
      const isFirst = facts === null;
      facts = now;
      if (isFirst && !panel.hidden) open();
      shown?.show();
      return null;
    },
  };
}

function operationForm(operation, given, facts, { reveal, scenarios, lead }) {
  let world = null;
  let stop = null; // ends the wait for the answer
  let offered = ""; // JSON of the keys that are offered
  const key = h("select");
  const possible = scenarios().filter(({ apis }) => apis.includes(operation.api));
  const scenario = h("select", h("option", { value: "" }, "none"), ...grouped(possible));
  const parameters = operation.parameters.map((each) => parameterInput(each, given[each.name]));
  const body = bodyForm(operation.body);
  const send = h("button.main", { type: "submit" }, "Send");
  const end = h("button", { type: "button", hidden: true, onclick: () => stop?.abort() }, "Stop waiting");
  const waiting = h("p.hint", { role: "status" });
  const problem = problemSlot();
  const answer = new SentAnswer(operation, facts, { reveal, lead });
  const form = h(
    "form.send",
    h("p.mono.line", `${operation.method} ${operation.path}`),
    operation.description && h("p.hint", operation.description),
    h(
      "div.fields",
      operation.credential && labelled("Key", key),
      labelled("Scenario", scenario),
      ...parameters.map(({ node }) => node),
    ),
    body.node,
    h("div.buttons", send, end, waiting),
    problem,
  );

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (stop !== null) return;
    stop = new AbortController();
    send.setAttribute("aria-busy", "true");
    end.hidden = false;
    showWait();
    try {
      showProblem(problem, null);
      const sent = await sendRequest(world, requestOf(), stop.signal);
      if (sent.id === null) throw sent.error ?? new Error("The journal does not have the request.");
      await answer.show(world, sent);
    } catch (error) {
      showProblem(problem, error);
    } finally {
      stop = null;
      send.removeAttribute("aria-busy");
      end.hidden = true;
      setText(waiting, "");
    }
  });

  function requestOf() {
    const headers = new Headers();
    const query = new URLSearchParams();
    let { path } = operation;
    for (const { name, where, read } of parameters) {
      const value = read();
      if (where === "path") path = path.replace(`{${name}}`, encodeURIComponent(value));
      else if (value === "") continue;
      else if (where === "header") headers.set(name, value);
      else if (where === "query") query.append(name, value);
    }
    if (operation.credential && key.value !== "") headers.set(...operation.credential(key.value));
    if (scenario.value !== "") headers.set("Mock-Scenario", scenario.value);
    const { body: content, contentType } = body.content();
    if (contentType) headers.set("Content-Type", contentType);
    return { method: operation.method, path, query: query.toString(), headers, body: content };
  }

  /** Say why an answer may take long: an API may hold a create until its task ends. */
  function showWait() {
    if (stop === null) return;
    const isFrozen = facts().clock.mode === "frozen";
    const frozen = "Waiting. The clock is frozen: advance it if no answer comes.";
    setText(waiting, isFrozen ? frozen : "Waiting for the answer.");
  }

  return {
    operation,
    node: h("div", form, answer.node),
    /** Take over the world's keys; read a request again that had not ended. */
    show() {
      const now = facts().world;
      if (now.name !== world) answer.clear();
      world = now.name;
      showKeys(now.keys.filter(({ api }) => api === operation.api));
      showWait();
      answer.refresh().catch((error) => showProblem(problem, error));
    },
  };

  function showKeys(keys) {
    if (JSON.stringify(keys) === offered) return;
    offered = JSON.stringify(keys);
    const chosen = key.value;
    const options = keys.map((each) => h("option", { value: each.key }, `${each.account}: ${each.key}`));
    key.replaceChildren(...options, h("option", { value: "" }, "none"));
    if (keys.some((each) => each.key === chosen)) key.value = chosen;
  }
}

function parameterInput({ name, in: where, required, description, example, schema }, given) {
  const options = schema?.enum?.map((value) => h("option", String(value)));
  const attributes = { required: Boolean(required), autocomplete: "off", placeholder: example ?? "" };
  const input = options
    ? h("select", !required && h("option", { value: "" }, "left out"), ...options)
    : h("input", { type: "text", value: given ?? "", ...attributes });
  const node = labelled(name, input, { isRequired: required, hint: description });
  return { node, name, where, read: () => input.value };
}
