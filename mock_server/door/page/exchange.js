// One request with its answer: why, its links, and both messages.

import { comparison } from "./compare.js";
import { curlCommand } from "./curl.js";
import { ask, inWorld } from "./door.js";
import { copyButton, factList, h, linkButton, problemSlot, setText, showProblem } from "./elements.js";
import { statusOf, targetOf } from "./exchange_words.js";
import { messageBox } from "./message.js";
import { dateTimeOf } from "./moments.js";
import { readFold } from "./read_fold.js";

/**
 * The nodes that show a request. reveal(kind, id): opens what it is about. before: the one before it
 * of the same kind, to compare with; undefined without.
 */
export const exchangeDetail = (request, world, reveal, before) => [
  explanation(request, world.name),
  h(
    "div.tools",
    copyButton("Copy as curl", () => curlCommand(request, world)),
    request.task &&
      linkButton("Story of its task", () => reveal("tasks", request.task), { title: request.task }),
    before &&
      readFold(
        "Compare with the one before",
        () => Promise.all([before, request].map(({ id }) => readExchange(world.name, id))),
        (both) => [comparison(...both, [`Before: ${before.id}`, "This one"])],
      ),
    linkButton("Compare with another", () => reveal("compare", request.id)),
    h("span.hint", `${request.id} · ${dateTimeOf(request.at)}`),
  ),
  exchangeMessages(request),
];

/** The request and its answer beside each other. */
export const exchangeMessages = (request) =>
  h(
    "div.halves",
    messageBox("Request", `${request.method} ${targetOf(request)}`, request.request),
    messageBox("Answer", statusOf(request), request.answer),
  );

/** One request of a world, by its id. */
export const readExchange = (world, id) =>
  ask("GET", inWorld(world, `/requests/${encodeURIComponent(id)}`));

/** Why a request was answered as it was; fetched when its row opens. */
function explanation(request, world) {
  const because = h("p.because", "…");
  const more = h("div");
  const problem = problemSlot();
  // Worlds of one seed have the same ids; below /w/WORLD those of this world come first.
  const path = `/w/${encodeURIComponent(world)}/_mock/explain/${encodeURIComponent(request.id)}`;
  ask("GET", path).then(
    (reason) => {
      setText(because, sentence(reason.because));
      more.replaceChildren(factList(reasonsOf(reason)));
    },
    (error) => {
      setText(because, "");
      showProblem(problem, error);
    },
  );
  const name = "Why it was answered so";
  return h("section.explanation", { "aria-label": name }, h("h3", "Why"), because, more, problem);
}

const reasonsOf = ({ refusal, faults, without, ignored }) => [
  ["Rule", refusal?.split(": ")[0]],
  ["Fault", faults.join(", ")],
  ["Without the fault", without],
  ["Without effect", ignored.map(fieldOf).join(" · ")],
];

const fieldOf = ({ pointer, hint }) => (hint === null ? pointer : `${pointer} (${hint})`);

const sentence = (text) =>
  `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;
