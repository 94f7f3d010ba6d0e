// Buttons that select what a list shows.

import { apiNames, titleOf } from "./apis.js";
import { h } from "./elements.js";

const CHIPS = { failed: "Failed", charged: "Charged", scenario: "Scenario" };

/** A group of chips; `onChange(chosen)`: called with the names of the pressed ones. */
export class Chips {
  constructor(names, onChange) {
    this.names = names;
    this.onChange = onChange;
    this.chosen = [];
    this.node = h("div.chips", { role: "group", "aria-label": "Show only" });
  }

  set(chosen) {
    const names = [...this.names, ...apiNames()];
    this.chosen = chosen.filter((name) => names.includes(name));
    this.node.replaceChildren(...names.map((name) => this.#chip(name)));
  }

  #chip(name) {
    const isPressed = this.chosen.includes(name);
    const chip = h(
      "button.chip",
      { type: "button", "aria-pressed": String(isPressed) },
      CHIPS[name] ?? titleOf(name),
    );
    chip.addEventListener("click", () => {
      const others = this.chosen.filter((each) => each !== name && !(isApi(each) && isApi(name)));
      this.set(isPressed ? others : [...others, name]);
      this.node.children[[...this.names, ...apiNames()].indexOf(name)].focus();
      this.onChange(this.chosen);
    });
    return chip;
  }
}

const isApi = (name) => !(name in CHIPS);
