// Tabs: one panel at a time, chosen by mouse or arrow keys.

import { setText } from "./elements.js";

export class Tabs {
  /** onChoose(id): called when a panel is chosen. */
  constructor(list, onChoose) {
    this.tabs = [...list.querySelectorAll("[role=tab]")];
    this.onChoose = onChoose;
    for (const tab of this.tabs) tab.addEventListener("click", () => onChoose(panelOf(tab).id));
    list.addEventListener("keydown", (event) => this.#onKey(event));
    this.choose(panelOf(this.tabs[0]).id);
  }

  choose(id) {
    for (const tab of this.tabs) {
      const isChosen = panelOf(tab).id === id;
      tab.setAttribute("aria-selected", String(isChosen));
      tab.tabIndex = isChosen ? 0 : -1;
      panelOf(tab).hidden = !isChosen;
    }
  }

  /** Show a number beside the name of a tab; null: this one has none. */
  count(id, text) {
    const tab = this.tabs.find((each) => panelOf(each).id === id);
    if (text !== null) setText(tab.querySelector(".count"), text);
  }

  #onKey(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const place = this.tabs.indexOf(document.activeElement);
    const next = this.tabs.at((place + step) % this.tabs.length);
    this.onChoose(panelOf(next).id);
    next.focus();
    event.preventDefault();
  }
}

const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
