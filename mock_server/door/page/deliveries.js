// The panel of callbacks and webhooks, with their attempts.

import { newestPanel } from "./activity.js";
import { inWorld } from "./door.js";
import { inboxIn } from "./inboxes.js";
import { actionButton, factList, h, linkButton, plural, problemSlot } from "./elements.js";
import { messageBox } from "./message.js";
import { dateTimeOf, durationText, msBetween, timeOf } from "./moments.js";
import { Row } from "./rows.js";

export const deliveriesPanel = (panel, { live, reveal, note }) =>
  newestPanel(panel, {
    nouns: "deliveries",
    row: (world) => deliveryRow(world, live, reveal),
    note,
    chips: ["failed"],
    title: "No deliveries yet",
    text: "Callbacks and webhooks appear here when their task ends.",
  });

function deliveryRow(world, live, reveal) {
  return new Row({
    columns: ["status", "model", "path", "took", "gist"],
    kindOf: (delivery) => delivery.state,
    cellsOf: ({ state, event, url, attempts }) => [
      state,
      event.type,
      url,
      plural(attempts.length, "attempt"),
      [failureOf(attempts.at(-1)), attempts.at(-1)?.error ?? ""],
    ],
    atOf: (delivery) => delivery.created_at,
    detail: (delivery) => {
      const problem = problemSlot();
      const path = `/deliveries/${encodeURIComponent(delivery.id)}/redeliver`;
      return [
        factList(factsOf(delivery)),
        h(
          "div.tools",
          actionButton("Redeliver now", problem, () =>
            live.change("POST", inWorld(world().name, path)),
          ),
          linkButton("Story of its task", () => reveal("tasks", delivery.event.subject), {
            title: delivery.event.subject,
          }),
          inboxIn(delivery.url, world().name) !== null &&
            linkButton("Show the inbox", () =>
              reveal("inboxes", inboxIn(delivery.url, world().name)),
            ),
          problem,
        ),
        ...delivery.attempts.map(attemptBox),
      ];
    },
  });
}

/** Why the last attempt failed, in words. */
function failureOf(attempt) {
  if (attempt === undefined || attempt.ended_at === null) return "";
  const { error, answer } = attempt;
  if (error) return REASONS[error.split(":")[0]] ?? error;
  return answer.status < 300 ? "" : `the receiver answered ${answer.status}`;
}

const WITHOUT_ANSWER = "the receiver closed the connection without a whole answer";
const REASONS = {
  ConnectError: "the receiver could not be reached",
  ConnectTimeout: "the receiver could not be reached in time",
  ReadError: WITHOUT_ANSWER,
  RemoteProtocolError: WITHOUT_ANSWER,
  WriteError: WITHOUT_ANSWER,
};

function factsOf(delivery) {
  return [
    ["Delivery", delivery.id],
    ["Task", delivery.event.subject],
    ["To", delivery.url],
    ["Event", `${delivery.event.type} (${delivery.event.id})`],
    ["Next attempt", delivery.next_attempt_at && dateTimeOf(delivery.next_attempt_at)],
    ["Given up", delivery.given_up],
    ["Fault", delivery.fault && JSON.stringify(delivery.fault)],
  ];
}

/** One attempt with what was sent and answered. */
export function attemptBox(attempt, index) {
  const { started_at: started, ended_at: ended, request, answer, error, note } = attempt;
  const took = ended === null ? "under way" : durationText(msBetween(started, ended));
  const outcome = error ?? answer?.status ?? "";
  return h(
    "section.attempt",
    h("h3", `Attempt ${index + 1}`, h("span.hint", ` ${timeOf(started)} · ${took} · ${outcome}`)),
    note && h("p.hint", `Note: ${note}.`),
    h(
      "div.halves",
      messageBox("Sent", request ? `${request.method} ${request.url}` : "nothing was sent", request),
      messageBox("Answered", answer ? String(answer.status) : (error ?? "nothing yet"), answer),
    ),
  );
}
