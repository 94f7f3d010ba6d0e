// The panel of requests, with their answers and explanations.

import { Activity } from "./activity.js";
import { exampleCreate } from "./apis.js";
import { baseOf, quoted } from "./curl.js";
import { inWorld } from "./door.js";
import { actionButton, copyButton, counted, h, problemSlot, setText } from "./elements.js";
import { exchangeDetail } from "./exchange.js";
import { statusOf, targetOf } from "./exchange_words.js";
import { durationText, msBetween, timeOf } from "./moments.js";
import { Row } from "./rows.js";

/** reveal(kind, id): opens a view. live: the Live that follows the world. */
export function requestsPanel(panel, { live, reveal, note }) {
  let facts = null;
  const problem = problemSlot();
  const first = h("pre.mono.command", { tabindex: "0" });
  const empty = h(
    "div",
    h("h3", "No requests yet"),
    h("p", "Paste this into a terminal. The request appears here at once."),
    first,
    copyButton("Copy the command", () => first.textContent),
  );
  const forget = actionButton(
    "Forget all",
    problem,
    () => live.change("DELETE", inWorld(facts.world.name, "/requests")),
    { class: "quiet", hidden: true, title: "Forget the requests that have ended" },
  );
  const activity = new Activity(panel, {
    nouns: "requests",
    // The oldest of folded looks: it stays while more come.
    keyOf: (request) => `${request.first_id ?? request.id} ${request.first_at ?? request.at}`,
    row: () => requestRow(() => facts, reveal),
    chips: ["failed", "charged", "scenario"],
    fold: foldedLooks,
    empty,
    note,
    actions: [forget],
  });
  activity.note.after(problem);

  return {
    view: (view) => activity.view(view),
    show(now) {
      facts = now;
      const { known, isCut, evicted } = now.journal;
      const total = isCut ? Infinity : known.length;
      setText(first, firstCommand(now.world));
      activity.show(now.world.name, now.incarnation, [...known].reverse(), total, evicted);
      forget.hidden = known.length === 0;
      return isCut ? `${counted(known.length)}+` : counted(known.length);
    },
  };
}

function requestRow(facts, reveal) {
  return new Row({
    columns: ["status", "method", "path", "gist", "badge", "account", "took"],
    kindOf,
    cellsOf: (request) => [
      statusOf(request),
      request.method,
      targetOf(request),
      gistOf(request, facts().tasks),
      badgeOf(request),
      request.account ?? "",
      request.ended_at === null ? "" : durationText(msBetween(request.at, request.ended_at)),
    ],
    atOf: (request) => request.at,
    detail: (request) => exchangeDetail(request, facts().world, reveal, beforeOf(request, facts().journal.known)),
  });
}

/** The request before this one with the same operation and method, among those that are known. */
function beforeOf({ id, at, method, operation }, known) {
  const place = known.findIndex((each) => each.id === id && each.at === at);
  return known
    .slice(0, Math.max(place, 0))
    .findLast((each) => each.operation === operation && each.method === method);
}

/** What a request was about: looks, the code of its error, its price, its prompt. */
function gistOf(request, tasks) {
  if (request.looks > 1) return [`${request.looks} looks`, `the first at ${timeOf(request.first_at)}`];
  const code = codeOf(request);
  const prompt = promptOf(request);
  const task = request.operation === "create" && tasks.find((each) => each.id === request.task);
  const price = task && request.replay_of === null ? `${counted(task.price_credits)} cr` : "";
  const gist = [code, price, prompt].filter(Boolean).join(" · ");
  return [gist, gist];
}

function codeOf({ status, answer }) {
  if (status === null || status < 400) return "";
  const found = parsed(answer)?.error?.code;
  return typeof found === "string" ? found : "";
}

function promptOf({ operation, request }) {
  const prompt = operation === "create" ? parsed(request)?.prompt : "";
  return typeof prompt === "string" ? prompt : "";
}

function parsed(message) {
  try {
    return JSON.parse(message.body);
  } catch {
    return null;
  }
}

/** Requests, the newest first, with one in place of several looks at a task that follow each other. */
function foldedLooks(requests, wanted) {
  const folded = [];
  for (const request of requests) {
    const last = folded.at(-1);
    const isSame =
      isLook(request) && last && isLook(last) && request.task === last.task &&
      request.status === last.status && ![request.id, last.id].includes(wanted);
    if (isSame) {
      folded[folded.length - 1] = {
        ...last, looks: (last.looks ?? 1) + 1, first_at: request.at, first_id: request.id,
      };
    } else folded.push(request);
  }
  return folded;
}

const isLook = ({ operation, task, ended_at: ended }) =>
  operation === "read" && task !== null && ended !== null;

/** The fault or the ignored fields of a request: a short text and a title. */
function badgeOf({ scenario, faults, channel, ignored }) {
  const fault = scenario ?? (faults.length > 0 ? "a fault" : "");
  if (fault) return [fault, channel === null ? "" : `asked for through the ${channel}`];
  const names = ignored.map(({ pointer }) => pointer).join(", ");
  return names ? ["ignored fields", `without effect: ${names}`] : ["", ""];
}

function kindOf({ status, ended_at: endedAt }) {
  if (endedAt === null) return "open";
  if (status === null) return "lost";
  return `s${Math.floor(status / 100)}`;
}

function firstCommand(world) {
  const { path, body, key } = exampleCreate(world);
  return [
    `curl ${baseOf(world)}${path}`,
    `-H ${quoted(`Authorization: Bearer ${key}`)}`,
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}
