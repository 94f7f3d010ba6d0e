// Inboxes: what came to the receivers of this world, and whether its signature is good.

import { ask, inWorld } from "./door.js";
import { copyButton, counted, h, keyedList, plural, problemSlot, say, tell } from "./elements.js";
import { messageBox } from "./message.js";
import { timeOf } from "./moments.js";

const FIRST = "hook";

/** The door has an inbox of any name; shown are one to begin with, and those something was sent to. */
export function inboxesPanel(panel, { count }) {
  let world = null;
  let received = 0;
  const problem = problemSlot();
  const list = h("div.inboxes");
  const draw = keyedList(
    list,
    (inbox) => inbox.name,
    () => inboxBox(() => world),
  );
  panel.append(
    h(
      "p.hint",
      "A receiver for callbacks, for whoever has none. Give its address as a callback_url or a webhook; any other name at its end is another inbox.",
    ),
    list,
    problem,
  );

  return {
    show(facts) {
      world = facts.world;
      const names = new Set([FIRST, ...namesIn(facts.deliveries, world.name)]);
      look(world.name, names).then(
        (inboxes) => {
          if (world !== facts.world) return; // something newer is looked at already
          tell(problem, null);
          draw(inboxes);
          received = inboxes.reduce((sum, inbox) => sum + inbox.requests.length, 0);
          count("inboxes", counted(received));
        },
        (error) => tell(problem, error),
      );
      return counted(received);
    },
  };
}

/** The names of this world's inboxes among the addresses of deliveries. */
function namesIn(deliveries, world) {
  return deliveries.flatMap(({ url }) => {
    const [, owner, name] = url.match(/\/_mock\/inbox\/([^/?#]+)\/([^/?#]+)/) ?? [];
    return owner === world ? [decodeURIComponent(name)] : [];
  });
}

const look = (world, names) =>
  Promise.all(
    [...names].map((name) => ask("GET", inWorld(world, `/inbox/${encodeURIComponent(name)}`))),
  );

function inboxBox(world) {
  const address = h("code");
  const received = h("p.hint");
  const list = h("div");
  const draw = keyedList(
    list,
    ([place]) => place,
    () => receivedBox(),
  );
  const node = h(
    "section.inbox",
    h(
      "h3",
      address,
      copyButton("Copy", () => address.textContent, "Copy the address of the inbox"),
    ),
    received,
    list,
  );
  return {
    node,
    show(inbox) {
      say(
        address,
        `${world().plain_base_url}/_mock/inbox/${world().name}/${encodeURIComponent(inbox.name)}`,
      );
      const told =
        inbox.requests.length === 0
          ? "Nothing came yet."
          : `${plural(inbox.requests.length, "request")} came.`;
      say(
        received,
        inbox.evicted > 0 ? `${told} ${inbox.evicted} older ones are no longer kept.` : told,
      );
      draw(inbox.requests.map((request, index) => [inbox.evicted + index, request]).reverse());
    },
  };
}

function receivedBox() {
  const node = h("details.received");
  return {
    node,
    show([, request]) {
      if (node.childElementCount > 0) return; // what came does not change
      const { valid, reason } = request.signature;
      const verdict = { true: "signature good", false: "signature bad" }[valid] ?? "not signed";
      node.append(
        h(
          "summary",
          h("span.mono", `${timeOf(request.at)} ${request.method}`),
          " ",
          h("span", { class: `verdict ${valid}`, title: reason }, verdict),
          " ",
          h(
            "span.hint",
            request.answered === null ? "left hanging" : `answered ${request.answered}`,
          ),
        ),
        h("p.hint", `Signature: ${reason}.`),
        messageBox(
          "What came",
          `${request.method} ${request.path}${request.query ? `?${request.query}` : ""}`,
          request,
        ),
      );
    },
  };
}
