// Worlds: choosing one, making one, beginning it anew, and how a client reaches it.

import { baseOf } from "./curl.js";
import { dialog } from "./dialogs.js";
import { ask, inWorld } from "./door.js";
import { busy, copyButton, h, keyedList, say } from "./elements.js";

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

  constructor(live) {
    this.live = live;
    this.chosen = sessionStorage.getItem(CHOSEN) ?? "default";
    this.#select.addEventListener("change", () => this.choose(this.#select.value));
    this.#select.addEventListener("focus", () => this.#busy(this.#select, () => this.list()));
    this.#on("make-world", () => this.#make());
    this.#on("reset-world", () => this.#reset());
    this.#on("drop-world", () => this.#dropIt());
  }

  choose(name) {
    this.chosen = name;
    sessionStorage.setItem(CHOSEN, name);
    this.#drop.hidden = name === "default";
    this.live.follow(name);
  }

  /** Which there are; the default one if the chosen one is gone. */
  async list() {
    const { worlds } = await ask("GET", "/_mock/worlds");
    const names = worlds.map((world) => world.name);
    if (!names.includes(this.chosen)) this.choose("default");
    const offered = [...this.#select.options].map((option) => option.value);
    if (offered.join() !== names.join()) {
      this.#select.replaceChildren(...names.map((name) => h("option", { value: name }, name)));
    }
    this.#select.value = this.chosen;
    this.#drop.hidden = this.chosen === "default";
  }

  show({ world }) {
    const keys = world.keys.map(({ key, api, account }) => [`${nameOf(api)} key`, key, account]);
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
    const seed = h("input", { type: "number", min: "0", step: "1", placeholder: "drawn" });
    const credits = h("input", {
      type: "number",
      min: "0",
      step: "1",
      placeholder: "as configured",
    });
    const frozen = h(
      "select",
      h("option", { value: "real" }, "real"),
      h("option", { value: "frozen" }, "frozen"),
    );
    const made = await dialog({
      title: "New world",
      text: "A world has its own clock, accounts, tasks, faults and journal. Its keys lead to it.",
      fields: [
        { label: "Name", input: name, hint: "Letters a to z, digits, hyphens." },
        { label: "Seed", input: seed },
        { label: "Credits of every account", input: credits },
        { label: "Time", input: frozen },
      ],
      submit: "Make it",
      act: () =>
        ask("POST", "/_mock/worlds", {
          body: planOf(name.value, seed.value, credits.value, frozen.value),
        }),
    });
    if (made === null) return;
    this.choose(made.name);
    await this.list();
  }

  async #reset() {
    const world = this.chosen;
    await dialog({
      title: `Reset ${world}?`,
      text: "Its tasks, requests, faults and credits are as they were when it was made. This cannot be taken back.",
      submit: "Reset",
      danger: true,
      act: () => this.#whileAway(() => ask("POST", inWorld(world, "/reset"))),
    });
  }

  async #dropIt() {
    const world = this.chosen;
    await dialog({
      title: `Drop ${world}?`,
      text: "Everything in it is gone, and its keys lead nowhere.",
      submit: "Drop",
      danger: true,
      act: () =>
        this.#whileAway(async () => {
          await ask("DELETE", inWorld(world));
          this.chosen = "default";
          await this.list();
        }),
    });
  }

  /** Whoever waits for something in a world is told when it goes; nobody here needs to be. */
  async #whileAway(act) {
    this.live.leave();
    try {
      await act();
    } finally {
      this.choose(this.chosen);
    }
  }
}

function planOf(name, seed, credits, mode) {
  const plan = { clock: { mode } };
  if (name !== "") plan.name = name;
  if (seed !== "") plan.seed = Number(seed);
  if (credits !== "") plan.credits = Number(credits);
  return plan;
}

const nameOf = (api) => ({ rivya: "Rivya", acedata: "Ace Data" })[api] ?? api;

function credential() {
  const name = h("dt");
  const value = h("code");
  const note = h("span.hint");
  const copy = copyButton("Copy", () => value.textContent);
  return {
    node: h("div", name, h("dd", value, copy, note)),
    show([label, text, more]) {
      say(name, label);
      say(value, text);
      say(note, more);
      copy.setAttribute("aria-label", `Copy: ${label}`);
    },
  };
}
