// Scenarios: a list to choose from, buttons that add one as faults, and commands for clients.

import { baseOf } from "./curl.js";
import { ask, inWorld } from "./door.js";
import {
  actionButton, copyButton, counted, h, problemSlot, searchFor, setText, showProblem,
} from "./elements.js";
import { WISHES } from "./scenario_groups.js";

const CHANNELS = {
  header: "A header",
  prefer: "A standard header",
  key: "In the key",
  prompt: "In the prompt",
  "control door": "The control door",
  server: "The whole server",
};

/** Scenarios by what goes wrong, with a search. */
export class Picker {
  constructor(onPick) {
    this.onPick = onPick;
    this.search = h("input", {
      type: "search",
      placeholder: "Search scenarios",
      "aria-label": "Search scenarios",
      oninput: () => this.#filter(),
    });
    this.list = h("div.scenarios", { role: "radiogroup", "aria-label": "Scenarios" });
    this.node = h("div.picker", this.search, this.list);
    this.none = h("p.hint", { hidden: true }, "No scenario has all these words.");
    this.choices = [];
  }

  offer(scenarios) {
    this.choices = scenarios.map((scenario) => this.#choice(scenario));
    this.groups = Object.entries(WISHES).map(([wish, name]) => {
      const choices = this.choices.filter((choice) => choice.wish === wish);
      const count = h("span.hint", counted(choices.length));
      const nodes = choices.map((choice) => choice.node);
      return { choices, node: h("details.wish", h("summary", name, " ", count), ...nodes) };
    });
    this.list.replaceChildren(...this.groups.map((group) => group.node), this.none);
    this.search.placeholder = `Search ${scenarios.length} scenarios`;
  }

  #choice(scenario) {
    const radio = h("input", {
      type: "radio",
      name: "scenario",
      value: scenario.name,
      onchange: () => this.onPick(scenario),
    });
    const only = scenario.apis.length === 1 ? h("span.only", `${scenario.apis[0]} only`) : null;
    const node = h(
      "label",
      radio,
      h(
        "span.what",
        h("span", h("b.mono", scenario.name), " ", only),
        h("span.hint", scenario.shows),
      ),
    );
    return {
      node,
      wish: scenario.wish,
      words:
        `${scenario.name} ${scenario.name.replaceAll("_", " ")} ${scenario.shows} ${scenario.apis}`,
    };
  }

  #filter() {
    const matches = searchFor(this.search.value);
    const isSearching = this.search.value.trim() !== "";
    for (const { node, words } of this.choices) node.hidden = !matches(words);
    for (const { node, choices } of this.groups) {
      node.hidden = choices.every((choice) => choice.node.hidden);
      node.open = isSearching;
    }
    this.none.hidden = this.choices.some(({ node }) => !node.hidden);
  }
}

/** The chosen scenario: buttons that add its faults, and a command for each channel. */
export class Chosen {
  constructor(world, live) {
    this.world = world;
    this.problem = problemSlot();
    this.name = h("b.mono");
    this.times = h("input", {
      type: "number",
      min: "1",
      value: "3",
      "aria-label": "How many requests",
    });
    this.how = h("details.how", h("summary", "Or ask for it from the client"));
    const force = (timesOf) => () => {
      const body = { scenario: this.scenario.name, times: timesOf() };
      return live.change("POST", inWorld(world().name, "/faults"), body);
    };
    this.node = h(
      "div.chosen",
      { hidden: true },
      h("p", this.name),
      h(
        "div.buttons",
        actionButton(
          "Next request",
          this.problem,
          force(() => 1),
          { class: "main" },
        ),
        h(
          "span.joined",
          actionButton(
            "Next",
            this.problem,
            force(() => Number(this.times.value)),
          ),
          this.times,
        ),
        actionButton(
          "Until removed",
          this.problem,
          force(() => null),
        ),
      ),
      h("p.hint", "Counted for each account, among the requests that match."),
      this.problem,
      this.how,
    );
  }

  refresh(world) {
    if (this.scenario !== undefined) this.show(this.scenario, world);
  }

  async show(scenario, world) {
    this.scenario = scenario;
    this.node.hidden = false;
    setText(this.name, scenario.name);
    showProblem(this.problem, null);
    try {
      const { how } = await ask("GET", `/_mock/scenarios/${encodeURIComponent(scenario.name)}`);
      if (this.scenario === scenario) this.#showCommands(how, world);
    } catch (error) {
      showProblem(this.problem, error);
    }
  }

  #showCommands(how, world) {
    const commands = Object.keys({ ...CHANNELS, ...how })
      .filter((channel) => channel in how)
      .map((channel) => {
        const command = onLines(inThisWorld(how[channel], world));
        return h(
          "div.command-box",
          h(
            "h3",
            CHANNELS[channel] ?? channel,
            copyButton("Copy", () => command, `Copy: ${CHANNELS[channel] ?? channel}`),
          ),
          h("pre.mono.command", { tabindex: "0" }, command),
        );
      });
    this.how.replaceChildren(this.how.firstElementChild, ...commands);
  }
}

/** A command with an option on each line. */
const onLines = (command) => command.replaceAll(/ (?=-[Hd] ')/g, " \\\n  ");

/** The command for this world; the door's commands are for the default world. */
function inThisWorld(command, world) {
  if (world.name === "default") return command;
  const ownKey = (key) =>
    world.keys.find((each) => each.key === `${key}-${world.name}`)?.key ?? key;
  const door = `${world.plain_base_url}/_mock/`;
  const toApi = command.includes(door) ? door : `${world.plain_base_url}/`;
  return command
    .replace(toApi, toApi === door ? door : `${baseOf(world)}/`)
    .replace("/_mock/worlds/default/", `/_mock/worlds/${world.name}/`)
    .replace(/Bearer ([^+']+)/, (_, key) => `Bearer ${ownKey(key)}`);
}
