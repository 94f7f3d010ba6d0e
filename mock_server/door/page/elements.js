// Makes and changes elements of the page. Text is always set as text, never as HTML.

import { dateTimeOf, timeOf } from "./moments.js";

/**
 * A new element: `h("p.hint", "text")`, `h("button", { onclick }, "text")`. Functions among the
 * attributes become listeners; attributes and children that are false or null are left out.
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

/** A list of names and values, without those whose value is empty. */
export function factList(facts) {
  const known = facts.filter(([, value]) => value);
  return h("dl.more", ...known.flatMap(([name, value]) => [h("dt", name), h("dd", value)]));
}

/** A button that looks like a link. */
export const linkButton = (label, onclick, attributes = {}) =>
  h("button.link", { type: "button", onclick, ...attributes }, label);

/** Set the text of an element, if it differs. */
export function setText(element, text) {
  if (element.textContent !== String(text)) element.textContent = text;
}

/** Set the text, the title and the machine-readable time of a `time` element. */
export function setTime(element, at) {
  setText(element, timeOf(at));
  element.dateTime = at;
  element.title = dateTimeOf(at);
}

/** An input for a whole number from 0. */
export const numberInput = (attributes) =>
  h("input", { type: "number", min: "0", step: "1", ...attributes });

/** A function that says whether a text contains all words of a search. */
export function searchFor(search) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return (text) => words.every((word) => text.toLowerCase().includes(word));
}

/**
 * Keeps one node for each item of a list. `make(item)` returns `{ node, show(item) }`. The nodes of
 * items that stay are kept, with their open parts and the focus.
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

/** A button that copies `text()`, and then shows that it did. */
export function copyButton(label, text, name = label) {
  const button = h("button.copy", { type: "button", "aria-label": name }, label);
  button.addEventListener("click", async () => {
    const copied = await copy(text());
    button.textContent = copied ? "Copied" : "Not copied";
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
    return copyBySelection(text); // pages over plain HTTP have no clipboard
  }
}

function copyBySelection(text) {
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

/** The place of an error message, hidden while there is none. */
export function problemSlot() {
  return h("p.problem", { role: "alert", hidden: true });
}

/** Show the message of a problem in its place; null hides it. */
export function showProblem(slot, problem) {
  slot.hidden = problem == null;
  setText(slot, problem == null ? "" : problem.message);
}

/** A button that sends a request: busy until the answer is there; a refusal is shown in `slot`. */
export function actionButton(label, slot, act, attributes = {}) {
  const button = h("button", { type: "button", ...attributes }, label);
  button.addEventListener("click", () => busy(button, slot, act));
  return button;
}

/** Run `act` while the button is busy. Shows what it throws in `slot`. */
export async function busy(button, slot, act) {
  if (button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  try {
    showProblem(slot, null);
    await act();
  } catch (problem) {
    showProblem(slot, problem);
  } finally {
    button.removeAttribute("aria-busy");
  }
}

/** A number with thousands separators. */
export const counted = (number) => number.toLocaleString("en");

/** "1 request", "2 requests". */
export const plural = (number, noun) => `${counted(number)} ${noun}${number === 1 ? "" : "s"}`;
