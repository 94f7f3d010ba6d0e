// What is to go wrong: what stands already, and picking something else.

import { ask } from "./door.js";
import { problemSlot, tell } from "./elements.js";
import { Standing } from "./faults.js";
import { Chosen, Picker } from "./scenarios.js";

export function forceCard(card, { live }) {
  let world = null;
  const problem = problemSlot();
  const standing = new Standing(() => world, live);
  const picker = new Picker((scenario) => chosen.show(scenario, world));
  const chosen = new Chosen(() => world, live);
  card.append(standing.node, picker.node, chosen.node, problem);

  return {
    async load() {
      try {
        picker.offer((await ask("GET", "/_mock/scenarios")).scenarios);
      } catch (error) {
        tell(problem, error);
      }
    },
    show(facts) {
      const isOther = world?.name !== facts.world.name;
      world = facts.world;
      standing.show(facts.faults);
      if (isOther) chosen.again(world);
    },
  };
}
