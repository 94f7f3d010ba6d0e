// The panel of inboxes: the requests that came, and whether their signatures are valid.

import { ask, inWorld } from "./door.js";
import { copyButton, counted, h, keyedList, linkButton, plural, problemSlot, setText, showProblem } from "./elements.js";
import { messageBox } from "./message.js";
import { timeOf } from "./moments.js";

const FIRST = "hook";

/** An inbox exists under any name. Shown are the first, and those that deliveries were sent to. */
export function inboxesPanel(panel, { count, reveal }) {
  let world = null;
  let deliveries = [];
  let wanted = null; // the inbox that the address names
  let received = 0;
  const problem = problemSlot();
  const list = h("div.inboxes");
  const draw = keyedList(
    list,
    (inbox) => inbox.name,
    () => inboxBox(() => world, (request) => taskOf(deliveries, request), reveal),
  );
  panel.append(
    h(
      "p.hint",
      "A receiver of callbacks. Use its address as a callback_url or a webhook. Another name at its end is another inbox.",
    ),
    list,
    problem,
  );

  return {
    view: ({ id }) => {
      wanted = id;
    },
    show(facts) {
      world = facts.world;
      deliveries = facts.deliveries;
      const names = new Set([FIRST, ...(wanted ? [wanted] : []), ...namesIn(facts.deliveries, world.name)]);
      readInboxes(world.name, names).then(
        (inboxes) => {
          if (world !== facts.world) return; // a newer read is under way
          showProblem(problem, null);
          const drawn = draw(inboxes);
          if (wanted !== null) drawn.get(wanted)?.node.scrollIntoView({ block: "nearest" });
          wanted = null;
          received = inboxes.reduce((sum, inbox) => sum + inbox.requests.length, 0);
          count("inboxes", counted(received));
        },
        (error) => showProblem(problem, error),
      );
      return counted(received);
    },
  };
}

/** The names of this world's inboxes among the addresses of deliveries. */
function namesIn(deliveries, world) {
  return deliveries.map(({ url }) => inboxIn(url, world)).filter((name) => name !== null);
}

/** The name of the inbox of this world at a URL; null if there is none. */
export function inboxIn(url, world) {
  const [, owner, name] = url.match(/\/_mock\/inbox\/([^/?#]+)\/([^/?#]+)/) ?? [];
  return owner === world ? decodeURIComponent(name) : null;
}

const readInboxes = (world, names) =>
  Promise.all(
    [...names].map((name) => ask("GET", inWorld(world, `/inbox/${encodeURIComponent(name)}`))),
  );

function inboxBox(world, taskIdOf, reveal) {
  const address = h("code");
  const received = h("p.hint");
  const list = h("div");
  const draw = keyedList(
    list,
    ([place]) => place,
    () => receivedBox(taskIdOf, reveal),
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
      setText(
        address,
        `${world().plain_base_url}/_mock/inbox/${world().name}/${encodeURIComponent(inbox.name)}`,
      );
      const count =
        inbox.requests.length === 0
          ? "No requests yet."
          : `${plural(inbox.requests.length, "request")} came.`;
      setText(
        received,
        inbox.evicted > 0 ? `${count} ${inbox.evicted} older ones are no longer kept.` : count,
      );
      draw(inbox.requests.map((request, index) => [inbox.evicted + index, request]).reverse());
    },
  };
}

/** The task that a received request is about; null if no delivery had the same body. */
function taskOf(deliveries, received) {
  const about = deliveries.find((delivery) =>
    delivery.attempts.some(({ request }) => request !== null && request.body === received.body),
  );
  return about?.event.subject ?? null;
}

function receivedBox(taskIdOf, reveal) {
  const node = h("details.received");
  return {
    node,
    show([, request]) {
      if (node.childElementCount > 0) return; // a request does not change
      const { valid, reason } = request.signature;
      const verdict = { true: "signature valid", false: "signature invalid" }[valid] ?? "not signed";
      const parts = [
        h(
          "summary",
          h("span.mono", `${timeOf(request.at)} ${request.method}`),
          " ",
          h("span", { class: `verdict ${valid}`, title: reason }, verdict),
          " ",
          h(
            "span.hint",
            request.answered === null ? "not answered" : `answered ${request.answered}`,
          ),
        ),
        h("p.hint", `Signature: ${reason}.`),
        taskIdOf(request) !== null &&
          h("div.tools", linkButton("Story of its task", () => reveal("tasks", taskIdOf(request)))),
        messageBox(
          "Request",
          `${request.method} ${request.path}${request.query ? `?${request.query}` : ""}`,
          request,
        ),
      ];
      node.append(...parts.filter(Boolean));
    },
  };
}
