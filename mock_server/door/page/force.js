// The card with the faults of a world and the scenarios to choose from.

import { ask } from "./door.js";
import { problemSlot, showProblem } from "./elements.js";
import { FaultList } from "./faults.js";
import { Chosen, Picker } from "./scenarios.js";

export function forceCard(card, { live }) {
  let world = null;
  let scenarios = [];
  const problem = problemSlot();
  const faults = new FaultList(() => world, live);
  const picker = new Picker((scenario) => chosen.show(scenario, world));
  const chosen = new Chosen(() => world, live);
  card.append(faults.node, picker.node, chosen.node, problem);

  return {
    scenarios: () => scenarios,
    async load() {
      try {
        ({ scenarios } = await ask("GET", "/_mock/scenarios"));
        picker.offer(scenarios);
      } catch (error) {
        showProblem(problem, error);
      }
    },
    show(facts) {
      const isOther = world?.name !== facts.world.name;
      world = facts.world;
      faults.show(facts.faults);
      if (isOther) chosen.refresh(world);
    },
  };
}
