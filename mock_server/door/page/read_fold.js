// A fold whose content is read from the server when it opens.

import { h, problemSlot, showProblem } from "./elements.js";

/** The fold. read(): a promise of what nodesOf(found) shows. */
export function readFold(name, read, nodesOf) {
  const problem = problemSlot();
  const inside = h("div.inside");
  const fold = h("details.messages", h("summary", name), inside, problem);
  fold.addEventListener("toggle", () => {
    if (!fold.open || inside.childElementCount > 0) return;
    read().then(
      (found) => inside.replaceChildren(...nodesOf(found)),
      (error) => showProblem(problem, error),
    );
  });
  return fold;
}
