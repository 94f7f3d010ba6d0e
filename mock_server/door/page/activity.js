// A list with a search and rows that open, for requests, tasks and deliveries.

import { Chips } from "./chips.js";
import {
  actionButton, counted, h, keyedList, plural, problemSlot, setText, showProblem,
} from "./elements.js";
import { readPage } from "./found.js";
import { ShownPart } from "./shown_part.js";

/**
 * The list of one kind of items, in `panel`: the newest ones live, older ones page by page, or what
 * the server finds. `row()` makes a row, `fold(items, wanted)` may join items; `empty` is shown if
 * there are none; `note(view)` puts the search and the open item into the address.
 */
export class Activity {
  constructor(panel, { nouns, keyOf, row, empty, note, chips, fold = (items) => items, actions = [] }) {
    this.nouns = nouns;
    this.keyOf = keyOf;
    this.fold = fold;
    this.newest = [];
    this.older = [];
    this.part = new ShownPart();
    this.found = null; // what the server has found; null: nothing is searched
    this.wanted = null; // the id of the item that opens when it comes
    this.arrived = new Set();
    this.asking = new AbortController();
    this.onOpen = (id) => note({ id });
    this.filter = h("input", {
      type: "search",
      placeholder: "Search ids, keys, prompts, codes, headers, bodies",
      "aria-label": `Search ${nouns}`,
      oninput: () => this.#selectionChanged(note),
      onkeydown: (event) => event.key === "Enter" && this.list.querySelector("button")?.click(),
    });
    this.chips = new Chips(chips, () => this.#selectionChanged(note));
    this.count = h("p.hint", { role: "status" });
    this.list = h("ol", { class: `rows ${nouns}`, "aria-label": nouns });
    this.empty = h("div.empty", { hidden: true }, empty);
    this.problem = problemSlot();
    this.olderButton = actionButton(`Show older ${nouns}`, this.problem, () => this.#readOlder(), {
      class: "quiet",
      hidden: true,
    });
    this.newerButton = actionButton(`Show newer ${nouns}`, this.problem, () => this.#goNewer(), {
      class: "quiet",
      hidden: true,
    });
    this.note = h("p.hint", { hidden: true });
    this.rows = new Map();
    this.draw = keyedList(this.list, keyOf, (item) => this.#make(row, item));
    panel.append(
      h("div.filter", this.filter, this.chips.node, this.count, ...actions),
      h("div.below", this.newerButton),
      this.list,
      this.empty,
      h("div.below", this.olderButton, this.note, this.problem),
    );
  }

  /** items: the newest first. total: of all that are kept, or Infinity. evicted: how many are not kept. */
  show(world, incarnation, items, total, evicted) {
    if (this.incarnation !== `${world} ${incarnation}`) {
      this.incarnation = `${world} ${incarnation}`;
      this.older = [];
      this.newest = [];
      this.isWhole = false;
      this.part.from = 0;
    }
    const before = new Set(this.newest.map(this.keyOf));
    const now = new Set(items.map(this.keyOf));
    this.arrived = before.size === 0 ? before : new Set([...now].filter((key) => !before.has(key)));
    if (this.found === null) this.part.shift(this.arrived.size);
    if (this.older.length > 0) {
      this.older.unshift(...this.newest.filter((item) => !now.has(this.keyOf(item))));
    }
    const isFirst = this.world === undefined;
    [this.world, this.newest, this.total] = [world, items, total];
    if (isFirst) this.#seekWanted();
    setText(this.note, `${plural(evicted, "older one")} ${evicted === 1 ? "is" : "are"} no longer kept.`);
    this.note.hidden = evicted === 0;
    if (this.#isSelecting()) this.#search();
    else this.#draw();
  }

  /** Show what an address names: the search, and the open item as soon as it is there. */
  view({ id, words, only }) {
    this.filter.value = words;
    this.chips.set(only);
    this.wanted = id;
    if (this.world === undefined) return;
    this.#seekWanted();
    this.#select();
  }

  /** Search for the item that the address names, if it is not among the newest. */
  #seekWanted() {
    const isKnown = this.wanted === null || this.#items().some((item) => item.id === this.wanted);
    if (!isKnown && !this.#isSelecting()) this.filter.value = this.wanted;
  }

  #selectionChanged(note) {
    note({ words: this.filter.value, only: this.chips.chosen, id: null });
    this.#select();
  }

  #select() {
    this.found = null;
    this.part.from = 0;
    if (this.#isSelecting()) this.#search();
    else this.#draw();
  }

  #isSelecting() {
    return this.filter.value.trim() !== "" || this.chips.chosen.length > 0;
  }

  #selection() {
    return { words: this.filter.value, only: this.chips.chosen };
  }

  async #search() {
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    try {
      const page = await readPage(this.world, this.nouns, this.#selection(), signal);
      if (signal.aborted || !this.#isSelecting()) return;
      this.found = this.#readOn(page);
      showProblem(this.problem, null);
      this.#draw();
    } catch (error) {
      if (!signal.aborted) showProblem(this.problem, error);
    }
  }

  /** What is found now: a new first page, and the older items that were read after the last one. */
  #readOn(page) {
    if (this.found === null || this.found.further.length === 0) return { ...page, further: [] };
    const now = new Set(page.items.map(this.keyOf));
    const further = this.#items().filter((item) => !now.has(this.keyOf(item)));
    this.part.shift(page.items.length + further.length - this.#items().length);
    return { items: page.items, further, more: this.found.more };
  }

  async #readOlder() {
    if (!this.part.hasAfter(this.#items())) await this.#readPage();
    this.part.older(this.#items());
    this.#drawFrom(this.olderButton, this.list.lastElementChild);
  }

  #goNewer() {
    this.part.newer();
    this.#drawFrom(this.newerButton, this.list.firstElementChild);
  }

  /** Show more rows beside one that stays. The focus goes there if the button is not needed now. */
  #drawFrom(button, row) {
    const hadFocus = document.activeElement === button;
    this.#draw(row);
    if (hadFocus && button.hidden) row.querySelector("button").focus({ preventScroll: true });
  }

  async #readPage() {
    const selection = this.#isSelecting() ? this.#selection() : {};
    const oldest = this.#items().at(-1);
    const page = await readPage(this.world, this.nouns, { ...selection, before: oldest.id });
    if (this.found === null) {
      this.older.push(...page.items);
      this.isWhole = !page.more;
    } else Object.assign(this.found, { further: [...this.found.further, ...page.items], more: page.more });
  }

  #items() {
    if (this.found !== null) return [...this.found.items, ...this.found.further];
    return [...this.newest, ...this.older];
  }

  /** Open the item that an address names, and scroll to it. */
  #openWanted(items) {
    const item = items.find((each) => each.id === this.wanted);
    const row = item && this.rows.get(this.keyOf(item));
    if (!row) return;
    this.wanted = null;
    row.open(true);
    row.node.scrollIntoView({ block: "nearest" });
    row.node.querySelector("button").focus({ preventScroll: true });
  }

  /** Rows of new items are highlighted for a moment. */
  #make(row, item) {
    const made = row();
    made.onOpen = this.onOpen;
    made.node.classList.toggle("arrived", this.arrived.has(this.keyOf(item)));
    return made;
  }

  /** anchor: a row that stays where it is on the screen; undefined: an open one. */
  #draw(anchor) {
    if (this.#isSelecting() && this.found === null) return; // the answer is under way
    const all = this.#items();
    const wanted = this.wanted === null ? -1 : all.findIndex(({ id }) => id === this.wanted);
    if (wanted !== -1) this.part.include(wanted);
    const part = this.part.of(all);
    const items = this.found === null ? this.fold(part, this.wanted) : part;
    withoutScrolling(anchor ?? openRow(this.list), () => {
      this.rows = this.draw(items);
    });
    this.#openWanted(items);
    const more = this.found?.more ?? (!this.isWhole && all.length < this.total);
    this.empty.hidden = all.length > 0 || this.found !== null;
    this.olderButton.hidden = !more && !this.part.hasAfter(all);
    this.newerButton.hidden = this.part.from === 0;
    setText(this.count, this.found === null ? "" : `${counted(all.length)}${more ? "+" : ""} found`);
  }
}

/**
 * A panel with items of one kind, `facts[nouns]`. `row(world)` makes a row, where `world()` is the
 * world it belongs to; `title` and `text` are shown if there are no items.
 */
export function newestPanel(panel, { nouns, row, note, chips, title, text }) {
  let world = null;
  const activity = new Activity(panel, {
    nouns,
    keyOf: (item) => item.id,
    row: () => row(() => world),
    note,
    chips,
    empty: h("div", h("h3", title), h("p", text)),
  });
  return {
    show(facts) {
      world = facts.world;
      const [total, evicted] = [facts.totals[nouns], facts.evicted[nouns]];
      activity.show(world.name, facts.incarnation, [...facts[nouns]].reverse(), total, evicted);
      return counted(total);
    },
    view: (view) => activity.view(view),
  };
}

/** The first open row in view. */
const openRow = (list) =>
  [...list.querySelectorAll(":scope > li:has(> button[aria-expanded=true])")].find((row) => {
    const { top, bottom } = row.firstElementChild.getBoundingClientRect();
    return bottom > 0 && top < innerHeight;
  });

/** Make a change of a list; the row `anchor` stays where it is on the screen. */
function withoutScrolling(anchor, change) {
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (anchor?.isConnected)
    scrollBy({ top: anchor.getBoundingClientRect().top - before, behavior: "instant" });
}
