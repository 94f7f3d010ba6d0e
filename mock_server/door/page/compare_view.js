// The view that compares two requests of a world, or one of them with an exchange of a HAR file.

import { comparison } from "./compare.js";
import { h, linkButton, problemSlot, showProblem } from "./elements.js";
import { readExchange } from "./exchange.js";
import { labelled } from "./form_fields.js";
import { nameOf, readHar } from "./har.js";
import { timeOf } from "./moments.js";

const MOST_CHOICES = 20;

/** The view in `panel`. `go(view)`: to another view; `leave()`: back to the lists. */
export function compareView(panel, { go, leave }) {
  let world = null;
  let asked = { id: null, other: null };
  let newest = []; // requests of the world, the newest first
  let recorded = []; // the exchanges of the opened file
  let draws = 0; // how often it was drawn: the last one counts
  const known = h("datalist", { id: "known-requests" });
  const [first, second] = [requestInput(), requestInput()];
  const problem = problemSlot();
  const result = h("div", { role: "status" });
  const entry = h("select", { onchange: draw });
  const entryField = labelled("Recorded exchange", entry);
  entryField.hidden = true;
  const file = h("input", { type: "file", accept: ".har,.json", onchange: openFile });
  const title = h("h2.story-title", { tabindex: "-1" }, "Compare two requests");
  const form = h(
    "form",
    h(
      "div.fields",
      labelled("First request", first),
      labelled("Second request", second),
      labelled("Or a HAR file in place of the second", file),
      entryField,
    ),
    known,
    h(
      "div.buttons",
      h("button.main", { type: "submit" }, "Compare"),
      h(
        "span.hint",
        "A file is read in this page and sent nowhere. Keys and secrets in it are replaced by [redacted].",
      ),
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    compare();
  });
  second.addEventListener("input", () => keep([]));
  panel.append(
    h("div.compare", h("div.story-head", linkButton("All requests", leave), title), form, problem, result),
  );

  /** Show what the form names; the address has it then. */
  function compare() {
    const other = recorded.length > 0 ? null : second.value.trim();
    go({ id: first.value.trim(), other });
  }

  async function openFile() {
    try {
      const [chosen] = file.files;
      keep(chosen ? await readHar(chosen) : [], chosen);
      compare();
    } catch (error) {
      keep([], file.files[0]);
      result.replaceChildren();
      showProblem(problem, error);
    }
  }

  /** Keep these exchanges; without a file, none is chosen any more. */
  function keep(exchanges, chosen) {
    recorded = exchanges;
    if (!chosen) file.value = "";
    entry.replaceChildren(...recorded.map((each) => h("option", nameOf(each))));
    entryField.hidden = recorded.length === 0;
  }

  /** Show what differs; or requests to choose from, as long as one is missing. */
  async function draw() {
    const own = (draws += 1);
    const { id, other } = asked;
    result.replaceChildren();
    showProblem(problem, null);
    const file = recorded[entry.selectedIndex];
    if (!id || !(other || file)) {
      const choose = (chosen) => go(id ? { id, other: chosen } : { id: chosen, other });
      if (id || file) result.replaceChildren(choices(othersThan(id), id ? "second" : "first", choose));
      return;
    }
    try {
      const [one, two] = await Promise.all([
        readExchange(world, id),
        file ?? readExchange(world, other),
      ]);
      if (own !== draws) return;
      const right = file ? `Recorded: ${nameOf(two)}` : nameNode(two, "Second");
      result.replaceChildren(comparison(one, two, [nameNode(one, "First"), right]));
    } catch (error) {
      if (own === draws) showProblem(problem, error);
    }
  }

  /** The newest requests, those of the same operation first. */
  function othersThan(id) {
    const operation = newest.find((each) => each.id === id)?.operation;
    const others = newest.filter((each) => each.id !== id);
    const [same, rest] = [true, false].map((isSame) =>
      others.filter((each) => (each.operation === operation) === isSame),
    );
    return [...same, ...rest].slice(0, MOST_CHOICES);
  }

  const nameNode = (exchange, place) =>
    h(
      "span",
      `${place}: ${nameOf(exchange)} `,
      linkButton(exchange.id, () => go({ kind: "requests", id: exchange.id })),
    );

  return {
    /** Compare the requests that the address names. */
    open({ id, other }) {
      asked = { id, other };
      first.value = id ?? "";
      second.value = other ?? "";
      if (world !== null) draw();
      const missing = other || recorded.length > 0 ? title : second;
      (id ? missing : first).focus({ preventScroll: true });
    },
    show(facts) {
      const isFirst = world === null;
      world = facts.world.name;
      newest = [...facts.journal.known].reverse();
      if (panel.hidden) return;
      known.replaceChildren(...newest.map((each) => h("option", { value: each.id }, nameOf(each))));
      if (isFirst) draw();
    },
  };
}

/** Buttons for requests, to choose the missing one from. */
const choices = (requests, which, choose) =>
  h(
    "div",
    h("p.hint", `Choose the ${which} one, or type the id of any request that is kept.`),
    h(
      "ul.choices",
      ...requests.map((each) =>
        h("li", linkButton(`${nameOf(each)} · ${each.id}`, () => choose(each.id)), h("time", timeOf(each.at))),
      ),
    ),
  );

const requestInput = () =>
  h("input", { type: "text", list: "known-requests", placeholder: "req_…", autocomplete: "off", spellcheck: "false" });
