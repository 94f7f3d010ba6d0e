// Chooses, makes, resets and drops worlds, and shows the base URL and keys of one.

import { titleOf } from "./apis.js";
import { baseOf } from "./curl.js";
import { dialog } from "./dialogs.js";
import { ask, inWorld, Problem } from "./door.js";
import { busy, copyButton, h, keyedList, numberInput, setText } from "./elements.js";

const CHOSEN = "hailuo-mock world";

export class Worlds {
  #select = document.getElementById("world");
  #drop = document.getElementById("drop-world");
  #problem = document.getElementById("world-problem");
  #draw = keyedList(
    document.getElementById("credentials"),
    ([name]) => name,
    () => credential(),
  );

  /** asked: the world of the address. onChoose(name): called when another one is chosen. */
  constructor(live, asked, onChoose) {
    this.live = live;
    this.onChoose = onChoose;
    this.chosen = asked ?? sessionStorage.getItem(CHOSEN) ?? "default";
    this.#select.addEventListener("change", () => this.choose(this.#select.value));
    this.#select.addEventListener("focus", () => this.#busy(this.#select, () => this.list()));
    this.#on("make-world", () => this.#make());
    this.#on("reset-world", () => this.#reset());
    this.#on("drop-world", () => this.#dropChosen());
  }

  choose(name) {
    this.chosen = name;
    sessionStorage.setItem(CHOSEN, name);
    this.#drop.hidden = name === "default";
    this.live.follow(name);
    this.#select.value = name;
    this.onChoose(name);
  }

  /** Read the list of worlds. If the chosen world no longer exists, choose the first one. */
  async list() {
    const worlds = await listOfAll();
    const names = worlds.map((world) => world.name);
    if (!names.includes(this.chosen)) this.choose(names[0] ?? "default");
    const offered = [...this.#select.options].map((option) => option.value);
    if (offered.join() !== names.join()) {
      this.#select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    }
    this.#select.value = this.chosen;
    this.#drop.hidden = this.chosen === "default";
  }

  show({ world }) {
    const keys = world.keys.map(({ key, api, account }) => [`${titleOf(api)} key`, key, account]);
    const seen = new Map();
    const named = keys.map(([name, key, account]) => {
      seen.set(name, (seen.get(name) ?? 0) + 1);
      return [seen.get(name) > 1 ? `${name} ${seen.get(name)}` : name, key, account];
    });
    this.#draw([["Base URL", baseOf(world), `seed ${world.seed}`], ...named]);
  }

  #on(id, act) {
    const button = document.getElementById(id);
    button.addEventListener("click", () => this.#busy(button, act));
  }

  #busy(element, act) {
    return busy(element, this.#problem, act);
  }

  async #make() {
    const name = h("input", {
      type: "text",
      pattern: "[a-z0-9][a-z0-9\\-]{0,39}",
      placeholder: "world-2",
      autocomplete: "off",
      spellcheck: "false",
    });
    const seed = numberInput({ placeholder: "drawn" });
    const credits = numberInput({ placeholder: "as configured" });
    const frozen = h(
      "select",
      h("option", { value: "real" }, "real"),
      h("option", { value: "frozen" }, "frozen"),
    );
    const made = await dialog({
      title: "New world",
      text: "A world has its own clock, accounts, tasks, faults and journal. Its keys belong to it alone.",
      fields: [
        { label: "Name", input: name, hint: "Letters a to z, digits, hyphens." },
        { label: "Seed", input: seed },
        { label: "Credits of every account", input: credits },
        { label: "Time", input: frozen },
      ],
      submit: "Make world",
      act: () =>
        ask("POST", "/_mock/worlds", {
          body: planOf(name.value, seed.value, credits.value, frozen.value),
        }),
    });
    if (made === null) return;
    this.choose(made.name);
    await this.list();
  }

  #reset() {
    const path = inWorld(this.chosen, "/reset");
    return this.#confirm(
      "Reset",
      "Its tasks, requests, faults and credits become as they were when it was made. This cannot be undone.",
      () => ask("POST", path),
    );
  }

  #dropChosen() {
    const path = inWorld(this.chosen);
    const text = "Everything in it is deleted, and its keys no longer work.";
    return this.#confirm("Drop", text, async () => {
      await ask("DELETE", path);
      this.chosen = "default";
      await this.list();
    });
  }

  #confirm(verb, text, act) {
    return dialog({
      title: `${verb} ${this.chosen}?`,
      text,
      submit: verb,
      danger: true,
      act: () => this.#withoutWaits(act),
    });
  }

  /** Run `act` while no wait is open: a wait in a world that ends is answered with 503. */
  async #withoutWaits(act) {
    this.live.leave();
    try {
      await act();
    } finally {
      this.choose(this.chosen);
    }
  }
}

/** The worlds of all processes behind a proxy; of the one that answers, if there is no proxy. */
async function listOfAll() {
  const { shard } = await ask("GET", "/_mock/version");
  const count = shard === null ? 0 : Number(shard.split("/")[1]);
  const beginnings = count ? Array.from({ length: count }, (_, number) => `/w/w${number}`) : [""];
  const lists = await Promise.all(
    beginnings.map((beginning) => ask("GET", `${beginning}/_mock/worlds`).catch(ofOtherProcess)),
  );
  return lists.flatMap(({ worlds }) => worlds);
}

function ofOtherProcess(problem) {
  if (problem instanceof Problem && problem.status === 421) return { worlds: [] };
  throw problem;
}

function planOf(name, seed, credits, mode) {
  const plan = { clock: { mode } };
  if (name !== "") plan.name = name;
  if (seed !== "") plan.seed = Number(seed);
  if (credits !== "") plan.credits = Number(credits);
  return plan;
}

function credential() {
  const name = h("dt");
  const value = h("code");
  const note = h("span.hint");
  const copy = copyButton("Copy", () => value.textContent);
  return {
    node: h("div", name, h("dd", value, copy, note)),
    show([label, text, more]) {
      setText(name, label);
      setText(value, text);
      setText(note, more);
      copy.setAttribute("aria-label", `Copy: ${label}`);
    },
  };
}
