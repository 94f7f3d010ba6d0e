// Callbacks and webhooks: what went out, attempt by attempt, and sending it again.

import { Activity, Row } from "./activity.js";
import { ask, inWorld } from "./door.js";
import {
  actionButton,
  counted,
  factList,
  h,
  linkButton,
  plural,
  problemSlot,
  say,
} from "./elements.js";
import { messageBox } from "./message.js";
import { between, lengthOf, timeOf, wholeOf } from "./moments.js";

export function deliveriesPanel(panel, { live, reveal }) {
  let world = null;
  const evicted = h("p.hint", { hidden: true });
  const activity = new Activity(panel, {
    nouns: "deliveries",
    keyOf: (delivery) => delivery.id,
    row: () => deliveryRow(() => world, live, reveal),
    wordsOf: (delivery) =>
      `${delivery.id} ${delivery.state} ${delivery.url} ${delivery.event.type} ${delivery.event.subject}`,
    empty: h(
      "div",
      h("h3", "Nothing was sent yet"),
      h(
        "p",
        "Callbacks of Ace Data Cloud and webhooks of Rivya show up here when the task they tell of ends.",
      ),
    ),
  });
  activity.below.append(evicted);

  return {
    show(facts) {
      world = facts.world;
      const { deliveries, totalDeliveries, evictedDeliveries } = facts;
      activity.show([...deliveries].reverse());
      evicted.hidden = totalDeliveries + evictedDeliveries <= deliveries.length;
      say(
        evicted,
        `The newest ${deliveries.length} of ${counted(totalDeliveries)}; ` +
          `${counted(evictedDeliveries)} older ones are no longer kept.`,
      );
      return counted(totalDeliveries);
    },
    reveal: (id) => activity.reveal(id),
  };
}

function deliveryRow(world, live, reveal) {
  const cells = {
    state: h("span.status"),
    type: h("span.model"),
    url: h("span.path"),
    attempts: h("span.took"),
    time: h("time"),
  };
  const fill = (delivery, node) => {
    node.dataset.kind = delivery.state;
    say(cells.state, delivery.state);
    say(cells.type, delivery.event.type);
    say(cells.url, delivery.url);
    say(cells.attempts, plural(delivery.attempts.length, "attempt"));
    say(cells.time, timeOf(delivery.created_at));
    cells.time.dateTime = delivery.created_at;
    cells.time.title = wholeOf(delivery.created_at);
  };
  const detail = (delivery) => {
    const problem = problemSlot();
    return [
      factList(factsOf(delivery)),
      h(
        "div.tools",
        actionButton("Redeliver now", problem, async () => {
          await ask(
            "POST",
            inWorld(world().name, `/deliveries/${encodeURIComponent(delivery.id)}/redeliver`),
          );
          live.nudge();
        }),
        linkButton("Show its task", () => reveal("tasks", delivery.event.subject), {
          title: delivery.event.subject,
        }),
        problem,
      ),
      ...delivery.attempts.map(attemptBox),
    ];
  };
  return new Row(Object.values(cells), fill, detail);
}

function factsOf(delivery) {
  return [
    ["Delivery", delivery.id],
    ["Tells of", delivery.event.subject],
    ["To", delivery.url],
    ["Event", `${delivery.event.type} (${delivery.event.id})`],
    ["Next attempt", delivery.next_attempt_at && wholeOf(delivery.next_attempt_at)],
    ["Given up", delivery.given_up],
    ["Goes wrong on purpose", delivery.fault && JSON.stringify(delivery.fault)],
  ];
}

function attemptBox(attempt, index) {
  const took =
    attempt.ended_at === null
      ? "under way"
      : lengthOf(between(attempt.started_at, attempt.ended_at));
  const outcome = attempt.error ?? attempt.answer?.status ?? "";
  return h(
    "section.attempt",
    h(
      "h4",
      `Attempt ${index + 1}`,
      h("span.hint", ` ${timeOf(attempt.started_at)} · ${took} · ${outcome}`),
    ),
    attempt.note && h("p.hint", `Note: ${attempt.note}.`),
    h(
      "div.halves",
      messageBox(
        "Sent",
        attempt.request === null
          ? "nothing was sent"
          : `${attempt.request.method} ${attempt.request.url}`,
        attempt.request,
      ),
      messageBox(
        "Answered",
        attempt.answer === null ? (attempt.error ?? "nothing yet") : String(attempt.answer.status),
        attempt.answer,
      ),
    ),
  );
}
