// The entries of a story as a list. Each opens to its links and its messages.

import { comparison } from "./compare.js";
import { curlCommand } from "./curl.js";
import { attemptBox } from "./deliveries.js";
import { ask, inWorld } from "./door.js";
import { copyButton, h, keyedList, linkButton, setText } from "./elements.js";
import { exchangeMessages, readExchange } from "./exchange.js";
import { readFold } from "./read_fold.js";
import { dateTimeOf, durationText, msBetween } from "./moments.js";
import { keyOf, laneOf, moneyOf, titleOf } from "./story_words.js";

export class StoryRows {
  #first = null; // the time of the first entry
  #wanted = null; // the entry that opens when it comes; undefined: the first odd one
  #drawn = new Map();

  constructor(context) {
    this.node = h("ol.entries", { "aria-label": "What happened" });
    this.context = context;
    this.draw = keyedList(this.node, ({ key }) => key, () => new EntryRow(this));
  }

  /** Forget the entries. `entry`: the one to open; without it, the first odd one. */
  begin(entry) {
    this.#wanted = entry ?? undefined;
    this.#drawn = this.draw([]);
  }

  show(entries) {
    const money = moneyOf(entries);
    const seen = new Map();
    this.#first = entries[0]?.at;
    const create = entries.find((entry) => entry.operation === "create" && !entry.replay_of)?.request;
    const items = entries.map((entry, place) => {
      const key = keyOf(entry);
      seen.set(key, (seen.get(key) ?? 0) + 1);
      const own = seen.get(key) > 1 ? `${key}~${seen.get(key)}` : key;
      return { key: own, entry, money: money[place], first: this.#first, create };
    });
    this.#drawn = this.draw(items);
    const odd = this.#wanted === undefined ? items.find((item) => item.entry.is_odd)?.key : null;
    const key = this.#wanted ?? odd;
    if (key != null && this.#drawn.has(key)) {
      this.open(key, this.#wanted !== undefined);
      this.#wanted = null;
    }
  }

  /** Open an entry; `isAsked`: also scroll to it. */
  open(key, isAsked = true) {
    const row = this.#drawn.get(key);
    row?.open(true);
    if (isAsked) row?.node.scrollIntoView({ block: "nearest" });
  }
}

class EntryRow {
  constructor({ context }) {
    this.context = context;
    this.isOpen = false;
    this.time = h("time");
    this.lane = h("span.lane-name");
    this.title = h("span.title");
    this.money = h("span.money");
    this.why = h("span.why");
    this.button = h(
      "button.entry-head",
      { type: "button", "aria-expanded": "false", onclick: () => this.toggle() },
      this.time,
      this.lane,
      h("span.text", this.title, " ", this.why),
      this.money,
    );
    this.inside = h("div.entry-detail", { hidden: true });
    this.node = h("li", this.button, this.inside);
  }

  show({ key, entry, money: [money, moneyTitle, hasMoved], first, create }) {
    const json = JSON.stringify(entry);
    this.key = key;
    this.create = create;
    setText(this.money, money);
    this.money.title = moneyTitle;
    this.money.classList.toggle("moved", hasMoved);
    setText(this.time, `+${durationText(msBetween(first, entry.at))}`);
    if (json === this.json) return;
    this.json = json;
    this.entry = entry;
    this.node.dataset.odd = entry.is_odd;
    this.node.dataset.type = entry.type;
    this.time.dateTime = entry.at;
    this.time.title = dateTimeOf(entry.at);
    setText(this.lane, laneOf(entry));
    setText(this.title, titleOf(entry));
    const why = ["clock", "fault"].includes(entry.type) ? "" : (entry.why ?? ""); // their titles say it all
    setText(this.why, why);
    this.why.hidden = why === "";
    if (this.isOpen) this.#make();
  }

  toggle() {
    this.open(!this.isOpen);
    if (this.isOpen) this.context.note(this.key);
  }

  open(isOpen) {
    if (isOpen === this.isOpen) return;
    this.isOpen = isOpen;
    this.button.setAttribute("aria-expanded", String(isOpen));
    this.inside.hidden = !isOpen;
    this.#make();
  }

  #make() {
    this.inside.replaceChildren(...(this.isOpen ? detailOf(this.entry, this.create, this.context) : []));
  }
}

/** create: the id of the request that made the task. */
function detailOf(entry, create, { world, reveal }) {
  const wall = entry.wall_at && entry.wall_at !== entry.at ? ` · machine ${dateTimeOf(entry.wall_at)}` : "";
  const links = [
    entry.twin && linkButton("Story of the other task", () => reveal("tasks", entry.twin)),
    entry.request && linkButton("Show the request", () => reveal("requests", entry.request)),
    entry.delivery && linkButton("Show the delivery", () => reveal("deliveries", entry.delivery)),
  ];
  const isRepeat = create && entry.request && entry.request !== create &&
    (entry.type === "twin" || entry.operation === "create");
  const folds = [
    isRepeat && readFold("Compare with the first create", () => readPair(world().name, create, entry.request), ([one, other]) => [
      comparison(one, other, ["First create", entry.type === "twin" ? "The other" : "This one"]),
    ]),
    entry.request && readFold("Request and answer", () => readExchange(world().name, entry.request), (exchange) => [
      copyButton("Copy as curl", () => curlCommand(exchange, world())),
      exchangeMessages(exchange),
    ]),
    entry.attempt && readFold("Sent and answered", () => readDelivery(world().name, entry), (delivery) =>
      delivery.attempts
        .map((attempt, place) => [attempt, place])
        .filter(([attempt]) => attempt.id === entry.attempt)
        .map(([attempt, place]) => attemptBox(attempt, place)),
    ),
  ];
  return [
    h(
      "div.tools",
      ...links,
      ...folds.filter(Boolean),
      h("span.hint", `${dateTimeOf(entry.at)}${wall}`),
    ),
  ];
}

const readPair = (world, one, other) =>
  Promise.all([readExchange(world, one), readExchange(world, other)]);

const readDelivery = (world, entry) =>
  ask("GET", inWorld(world, `/deliveries/${encodeURIComponent(entry.delivery)}`));
