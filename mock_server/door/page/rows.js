// A row of a list: one that opens its detail, or one that leads to another view.

import { h, setText, setTime } from "./elements.js";

/**
 * A row with a button that opens its detail.
 *
 * columns: the class of each cell; a cell with the time `atOf(item)` follows them. `cellsOf(item)`:
 * a text for each, or a text and a title. `kindOf(item)`: the kind, for its colour. `detail(item)`:
 * the nodes inside, made when the row opens and when the item changes.
 */
export class Row {
  constructor({ columns, kindOf, cellsOf, atOf, detail }) {
    this.cells = columns.map((name) => h(`span.${name}`));
    this.time = h("time");
    this.detail = detail;
    this.fill = (item) => {
      this.node.dataset.kind = kindOf(item);
      for (const [place, cell] of cellsOf(item).entries()) {
        const [text, title = ""] = [cell].flat();
        setText(this.cells[place], text);
        this.cells[place].title = title;
      }
      setTime(this.time, atOf(item));
    };
    this.button = h(
      "button.head",
      { type: "button", "aria-expanded": "false", onclick: () => this.toggle() },
      ...this.cells,
      this.time,
    );
    this.inside = h("div.detail", { hidden: true });
    this.node = h("li", this.button, this.inside);
    this.isOpen = false;
  }

  show(item) {
    if (item === this.item) return;
    const json = JSON.stringify(item);
    if (json === this.json) return;
    this.json = json;
    this.item = item;
    this.fill(item);
    if (this.isOpen) this.#makeInside();
  }

  toggle() {
    this.open(!this.isOpen);
    this.onOpen?.(this.isOpen ? this.item.id : null);
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

/** A row whose button leads to another view: `choose(item)`. The rest is as in `Row`. */
export class LinkRow extends Row {
  constructor({ choose, ...rest }) {
    super({ ...rest, detail: () => [] });
    this.choose = choose;
    this.button.removeAttribute("aria-expanded");
  }

  toggle() {
    this.choose(this.item);
  }
}
