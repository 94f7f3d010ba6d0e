// Making and changing what is on the page. Text is only ever set as text.

/**
 * An element: `h("p.hint", "text")`, `h("button", { onclick }, "text")`. A function among the
 * attributes listens, false and null are left out, of attributes and of children.
 */
export function h(tagAndClasses, ...rest) {
  const [tag, ...classes] = tagAndClasses.split(".");
  const attributes = isPlain(rest[0]) ? rest.shift() : {};
  const element = document.createElement(tag);
  element.classList.add(...classes);
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(name.slice(2), value);
    else if (value !== false && value != null)
      element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...rest.filter((child) => child != null && child !== false));
  return element;
}

const isPlain = (value) => value?.constructor === Object;

/** What there is to know of something, name by name; what is empty is left out. */
export function factList(facts) {
  const told = facts.filter(([, value]) => value);
  return h("dl.more", ...told.flatMap(([name, value]) => [h("dt", name), h("dd", value)]));
}

/** A button that looks like a link. */
export const linkButton = (label, onclick, attributes = {}) =>
  h("button.link", { type: "button", onclick, ...attributes }, label);

/** Say something else, and touch the page only if it is something else. */
export function say(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/**
 * Keeps one node for each item of a list. `make(item)` answers with `{ node, show(item) }`; nodes of
 * items that stay are kept, with whatever is open or has the focus in them.
 */
export function keyedList(parent, keyOf, make) {
  let rows = new Map();
  return (items) => {
    const kept = new Map();
    let place = parent.firstElementChild;
    for (const item of items) {
      const key = keyOf(item);
      const row = rows.get(key) ?? make(item);
      kept.set(key, row);
      row.show(item);
      if (row.node === place) place = place.nextElementSibling;
      else parent.insertBefore(row.node, place);
    }
    for (const [key, row] of rows) if (kept.get(key) !== row) row.node.remove();
    rows = kept;
    return kept;
  };
}

/** A button that copies what `text()` says, and says so. */
export function copyButton(label, text, name = label) {
  const button = h("button.copy", { type: "button", "aria-label": name }, label);
  button.addEventListener("click", async () => {
    const copied = await copy(text());
    button.textContent = copied ? "Copied" : "Select it";
    setTimeout(() => {
      button.textContent = label;
    }, 1200);
  });
  return button;
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyTheOldWay(text); // there is no clipboard for pages that came over plain HTTP
  }
}

function copyTheOldWay(text) {
  const field = h("textarea.offstage", { "aria-hidden": "true" });
  const focused = document.activeElement;
  field.value = text;
  (document.querySelector("dialog[open]") ?? document.body).append(field);
  field.select();
  const copied = document.execCommand("copy");
  field.remove();
  focused?.focus();
  return copied;
}

/** Where a problem is told: shown with the door's own words, hidden while there is none. */
export function problemSlot() {
  return h("p.problem", { role: "alert", hidden: true });
}

/** Tell a problem in its place; null takes it away. */
export function tell(slot, problem) {
  slot.hidden = problem == null;
  say(slot, problem == null ? "" : problem.message);
}

/**
 * A button for something that is asked of the door: it is busy until the answer is there, and what
 * the door has against it is told in `slot`.
 */
export function actionButton(label, slot, act, attributes = {}) {
  const button = h("button", { type: "button", ...attributes }, label);
  button.addEventListener("click", () => busy(button, slot, act));
  return button;
}

/** Do something with a button that is busy meanwhile. */
export async function busy(button, slot, act) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    tell(slot, null);
    await act();
  } catch (problem) {
    tell(slot, problem);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** A number as people write it. */
export const counted = (number) => number.toLocaleString("en");

/** "1 request", "2 requests". */
export const plural = (number, noun) => `${counted(number)} ${noun}${number === 1 ? "" : "s"}`;
