// What the lists of requests, tasks and deliveries have in common: a filter, and rows that open.

import { counted, h, keyedList } from "./elements.js";

/**
 * A list under a filter, in `panel`. `row(item, place)` makes a row that can be opened;
 * `wordsOf(item)` is what the filter looks through; `empty` is shown when there is nothing at all.
 */
export class Activity {
  constructor(panel, { nouns, keyOf, row, wordsOf, empty, actions = [] }) {
    this.nouns = nouns;
    this.wordsOf = wordsOf;
    this.keyOf = keyOf;
    this.items = [];
    this.arrived = new Set();
    this.filter = h("input", {
      type: "search",
      placeholder: `Filter ${nouns}`,
      "aria-label": `Filter ${nouns}`,
      oninput: () => this.#draw(),
    });
    this.told = h("p.hint", { role: "status" });
    this.list = h("ol", { class: `rows ${nouns}`, "aria-label": nouns });
    this.empty = h("div.empty", { hidden: true }, empty);
    this.below = h("div.below");
    this.rows = new Map();
    this.draw = keyedList(this.list, keyOf, (item) => this.#make(row, item));
    panel.append(
      h("div.filter", this.filter, this.told, ...actions),
      this.list,
      this.empty,
      this.below,
    );
  }

  /** items: the newest first. */
  show(items) {
    const before = new Set(this.items.map(this.keyOf));
    this.arrived =
      before.size === 0 ? before : new Set(items.map(this.keyOf).filter((key) => !before.has(key)));
    this.items = items;
    this.#draw();
  }

  /** Show one item, open, whatever the filter says. */
  reveal(key) {
    this.filter.value = "";
    this.#draw();
    this.rows.get(key)?.open(true);
    this.rows.get(key)?.node.scrollIntoView({ block: "nearest" });
    this.rows.get(key)?.node.querySelector("button").focus({ preventScroll: true });
  }

  /** What has just come draws the eye for a moment. */
  #make(row, item) {
    const made = row();
    made.node.classList.toggle("arrived", this.arrived.has(this.keyOf(item)));
    return made;
  }

  #draw() {
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found =
      wanted.length === 0
        ? this.items
        : this.items.filter((item) => {
            const words = this.wordsOf(item).toLowerCase();
            return wanted.every((word) => words.includes(word));
          });
    keepingInPlace(this.list, () => {
      this.rows = this.draw(found);
    });
    this.empty.hidden = this.items.length > 0;
    this.told.textContent =
      wanted.length === 0 ? "" : `${found.length} of ${counted(this.items.length)}`;
  }
}

/**
 * A row whose head is a button that opens what is below it. `head` is filled by `show`; `detail()`
 * makes what is inside when it is opened, and again when the item has changed.
 */
export class Row {
  constructor(cells, fill, detail, attributes = {}) {
    this.fill = fill;
    this.detail = detail;
    this.button = h(
      "button.head",
      { type: "button", "aria-expanded": "false", onclick: () => this.open(!this.isOpen) },
      ...cells,
    );
    this.inside = h("div.detail", { hidden: true });
    this.node = h("li", attributes, this.button, this.inside);
    this.isOpen = false;
  }

  show(item) {
    if (item === this.item) return;
    const spelled = JSON.stringify(item);
    if (spelled === this.spelled) return;
    this.spelled = spelled;
    this.item = item;
    this.fill(item, this.node);
    if (this.isOpen) this.#makeInside();
  }

  open(isOpen) {
    if (this.isOpen === isOpen) return;
    this.isOpen = isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    this.inside.hidden = !isOpen;
    if (isOpen) this.#makeInside();
    else this.inside.replaceChildren();
  }

  #makeInside() {
    this.inside.replaceChildren(...this.detail(this.item));
  }
}

/** What somebody reads stays where it is while rows come in above it. */
function keepingInPlace(list, change) {
  const read = [...list.querySelectorAll(":scope > li > button[aria-expanded=true]")].find(
    (head) =>
      head.getBoundingClientRect().bottom > 0 && head.getBoundingClientRect().top < innerHeight,
  );
  const before = read?.getBoundingClientRect().top;
  change();
  if (read?.isConnected)
    scrollBy({ top: read.getBoundingClientRect().top - before, behavior: "instant" });
}
