// The answer to a request that a form has sent, as the journal has it.

import { h, linkButton } from "./elements.js";
import { exchangeDetail, readExchange } from "./exchange.js";
import { statusOf } from "./exchange_words.js";
import { durationText } from "./moments.js";
import { parametersOf } from "./operations.js";

/** `facts()`: of the world. `reveal(kind, id)` opens a view, `lead(id, parameters)` an operation. */
export class SentAnswer {
  #shown = null; // what was sent: its world, what `sendRequest` says, and whether it has ended

  constructor(operation, facts, { reveal, lead }) {
    this.operation = operation;
    this.facts = facts;
    this.reveal = reveal;
    this.lead = lead;
    this.node = h("section.sent-answer", { "aria-label": "Answer", hidden: true });
  }

  clear() {
    this.#shown = null;
    this.node.hidden = true;
  }

  async show(world, sent) {
    this.#shown = { world, sent, isOver: false };
    await this.refresh();
    this.node.scrollIntoView({ block: "nearest" });
  }

  /** Read the request again, if it had not ended. */
  async refresh() {
    const shown = this.#shown;
    if (shown === null || shown.isOver) return;
    const exchange = await readExchange(shown.world, shown.sent.id);
    if (shown !== this.#shown) return;
    shown.isOver = exchange.ended_at !== null;
    this.#draw(exchange, shown.sent);
  }

  #draw(exchange, sent) {
    const { status } = exchange;
    const links = sent.answer ? (this.operation.links[status] ?? []) : [];
    const repeated = sent.before.length > 0 && [
      "The browser sent this request again by itself, because the first answer did not come. ",
      linkButton("Show the first one", () => this.reveal("requests", sent.before[0])),
    ];
    this.node.hidden = false;
    this.node.dataset.kind = status === null ? "lost" : `s${Math.floor(status / 100)}`;
    this.node.replaceChildren(
      h(
        "h3",
        "Answer ",
        h("span.status", statusOf(exchange)),
        h("span.hint", durationText(sent.took_ms)),
      ),
      ...(repeated ? [h("p.hint", ...repeated)] : []),
      h(
        "div.tools",
        linkButton("Show the request", () => this.reveal("requests", exchange.id)),
        ...links.map((link) => this.#linkTo(link, sent.answer)),
      ),
      ...exchangeDetail(exchange, this.facts().world, this.reveal),
    );
  }

  #linkTo(link, answer) {
    const name = link.description ?? link.operationId;
    return linkButton(name, () => this.lead(link.operationId, parametersOf(link, answer)));
  }
}
