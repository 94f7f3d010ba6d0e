// Scenarios: picking one, and asking for it here or from a client.

import { baseOf } from "./curl.js";
import { ask, inWorld } from "./door.js";
import { actionButton, copyButton, h, problemSlot, say, tell } from "./elements.js";

const CHANNELS = {
  header: "A header",
  prefer: "A standard header",
  key: "Behind the key",
  prompt: "In the prompt",
  "control door": "The control door",
  server: "The whole server",
};

/** A searchable list to pick one scenario from. */
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
    this.list.replaceChildren(...this.choices.map((choice) => choice.node), this.none);
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
      words:
        `${scenario.name} ${scenario.name.replaceAll("_", " ")} ${scenario.shows} ${scenario.apis}`.toLowerCase(),
    };
  }

  #filter() {
    const wanted = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { node, words } of this.choices)
      node.hidden = !wanted.every((word) => words.includes(word));
    this.none.hidden = this.choices.some(({ node }) => !node.hidden);
  }
}

/** The scenario that was picked: how often it is to happen, and commands for each channel. */
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
    const force = (timesOf) => async () => {
      const body = { scenario: this.scenario.name, times: timesOf() };
      await ask("POST", inWorld(world().name, "/faults"), { body });
      live.nudge();
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
      h("p.hint", "Counted for each account, among the requests it is about."),
      this.problem,
      this.how,
    );
  }

  again(world) {
    if (this.scenario !== undefined) this.show(this.scenario, world);
  }

  async show(scenario, world) {
    this.scenario = scenario;
    this.node.hidden = false;
    say(this.name, scenario.name);
    tell(this.problem, null);
    try {
      const { how } = await ask("GET", `/_mock/scenarios/${encodeURIComponent(scenario.name)}`);
      if (this.scenario === scenario) this.#showCommands(how, world);
    } catch (error) {
      tell(this.problem, error);
    }
  }

  #showCommands(how, world) {
    const commands = Object.keys({ ...CHANNELS, ...how })
      .filter((channel) => channel in how)
      .map((channel) => {
        const command = setOut(inThisWorld(how[channel], world));
        return h(
          "div.command-box",
          h(
            "h4",
            CHANNELS[channel] ?? channel,
            copyButton("Copy", () => command, `Copy: ${CHANNELS[channel] ?? channel}`),
          ),
          h("pre.mono.command", { tabindex: "0" }, command),
        );
      });
    this.how.replaceChildren(this.how.firstElementChild, ...commands);
  }
}

/** The same command, an option to a line. */
const setOut = (command) => command.replaceAll(/ (?=-[Hd] ')/g, " \\\n  ");

/** The door's commands are for the default world. */
function inThisWorld(command, world) {
  if (world.name === "default") return command;
  const ownKey = (key) =>
    world.keys.find((each) => each.key === `${key}-${world.name}`)?.key ?? key;
  return command
    .replace("/_mock/worlds/default/", `/_mock/worlds/${world.name}/`)
    .replace(`${world.plain_base_url}/api/`, `${baseOf(world)}/api/`)
    .replace(`${world.plain_base_url}/hailuo/`, `${baseOf(world)}/hailuo/`)
    .replace(/Bearer ([^+']+)/, (_, key) => `Bearer ${ownKey(key)}`);
}
