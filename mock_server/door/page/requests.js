// The journal: every request with its answer, and why it was what it was.

import { Activity, Row } from "./activity.js";
import { asCurl, baseOf, quoted } from "./curl.js";
import { ask, inWorld } from "./door.js";
import {
  actionButton,
  copyButton,
  counted,
  factList,
  h,
  linkButton,
  plural,
  problemSlot,
  say,
  tell,
} from "./elements.js";
import { messageBox } from "./message.js";
import { between, lengthOf, timeOf, wholeOf } from "./moments.js";

/** reveal(kind, id): show a task; live: what keeps the page up to date. */
export function requestsPanel(panel, { live, reveal }) {
  let facts = null;
  const problem = problemSlot();
  const first = h("pre.mono.command");
  const empty = h(
    "div",
    h("h3", "Nobody has asked for anything yet"),
    h("p", "Paste this into a terminal. It shows up here at once."),
    first,
    copyButton("Copy the command", () => first.textContent),
  );
  const forget = actionButton(
    "Forget all",
    problem,
    async () => {
      await ask("DELETE", inWorld(facts.world.name, "/requests"));
      live.nudge();
    },
    { class: "quiet", hidden: true, title: "Forget the requests that have ended" },
  );
  const older = h("button.quiet", { type: "button", hidden: true }, "Show older ones");
  older.addEventListener("click", () => {
    facts.journal.reach();
    live.nudge();
  });
  const evicted = h("p.hint", { hidden: true });

  const activity = new Activity(panel, {
    nouns: "requests",
    keyOf: (request) => `${request.id} ${request.at}`,
    row: () => requestRow(() => facts.world, reveal),
    wordsOf: (request) =>
      [
        request.id,
        request.method,
        request.path,
        statusOf(request),
        request.account,
        request.api,
        request.scenario,
        request.task,
        request.refusal,
        request.request.body,
      ]
        .filter(Boolean)
        .join(" "),
    empty,
    actions: [forget],
  });
  activity.below.append(older, evicted, problem);

  return {
    show(now) {
      facts = now;
      const { known, isCut, evicted: gone } = now.journal;
      say(first, firstCommand(now.world));
      activity.show([...known].reverse());
      older.hidden = !isCut;
      forget.hidden = known.length === 0;
      evicted.hidden = gone === 0;
      say(evicted, `${plural(gone, "older request")} ${gone === 1 ? "is" : "are"} no longer kept.`);
      return isCut ? `${counted(known.length)}+` : counted(known.length);
    },
  };
}

function requestRow(world, reveal) {
  const cells = {
    status: h("span.status"),
    method: h("span.method"),
    path: h("span.path"),
    badge: h("span.badge"),
    account: h("span.account"),
    took: h("span.took"),
    time: h("time"),
  };
  const fill = (request, node) => {
    node.dataset.kind = kindOf(request);
    say(cells.status, statusOf(request));
    say(cells.method, request.method);
    say(cells.path, placeOf(request));
    say(cells.account, request.account ?? "");
    say(
      cells.took,
      request.ended_at === null ? "" : lengthOf(between(request.at, request.ended_at)),
    );
    say(cells.time, timeOf(request.at));
    cells.time.dateTime = request.at;
    cells.time.title = wholeOf(request.at);
    const [badge, title] = signOf(request);
    say(cells.badge, badge);
    cells.badge.title = title;
  };
  const detail = (request) => [
    explanation(request, world().name),
    h(
      "div.tools",
      copyButton("Copy as curl", () => asCurl(request, world())),
      request.task &&
        linkButton("Show its task", () => reveal("tasks", request.task), { title: request.task }),
      h("span.hint", `${request.id} · ${wholeOf(request.at)}`),
    ),
    h(
      "div.halves",
      messageBox("Request", `${request.method} ${placeOf(request)}`, request.request),
      messageBox("Answer", statusOf(request), request.answer),
    ),
  ];
  return new Row(Object.values(cells), fill, detail);
}

/** Why an answer was what it was; asked for when it is looked at. */
function explanation(request, world) {
  const because = h("p.because", "…");
  const more = h("div");
  const problem = problemSlot();
  // Worlds of one seed have the same ids; below /w/WORLD that one's come first.
  const path = `/w/${encodeURIComponent(world)}/_mock/explain/${encodeURIComponent(request.id)}`;
  ask("GET", path).then(
    (told) => {
      say(because, sentence(told.because));
      more.replaceChildren(factList(reasonsOf(told)));
    },
    (error) => {
      say(because, "");
      tell(problem, error);
    },
  );
  const name = "Why the answer was what it was";
  return h("section.explanation", { "aria-label": name }, h("h4", "Why"), because, more, problem);
}

const reasonsOf = ({ refusal, faults, without, ignored }) => [
  ["Rule", refusal?.split(": ")[0]],
  ["Fault", faults.join(", ")],
  ["Without it", without],
  ["Without effect", ignored.map(fieldOf).join(" · ")],
];

const fieldOf = ({ pointer, hint }) => (hint === null ? pointer : `${pointer} (${hint})`);

const sentence = (text) =>
  `${text[0].toUpperCase()}${text.slice(1)}${/[.!?]$/.test(text) ? "" : "."}`;

/** What is odd about a request, in a word and in a sentence: a fault before a slip. */
function signOf({ scenario, faults, channel, ignored }) {
  const fault = scenario ?? (faults.length > 0 ? "a fault" : "");
  if (fault) return [fault, channel === null ? "" : `asked for through the ${channel}`];
  const names = ignored.map(({ pointer }) => pointer).join(", ");
  return names ? ["ignored fields", `without effect: ${names}`] : ["", ""];
}

const placeOf = ({ path, query }) => (query ? `${path}?${query}` : path);

function statusOf(request) {
  if (request.status !== null) return String(request.status);
  return request.ended_at === null ? "under way" : "no answer";
}

function kindOf({ status, ended_at: endedAt }) {
  if (endedAt === null) return "open";
  if (status === null) return "lost";
  return `s${Math.floor(status / 100)}`;
}

function firstCommand(world) {
  const key = world.keys.find((each) => each.api === "rivya") ?? world.keys[0];
  const isRivya = key?.api !== "acedata";
  const path = isRivya ? "/api/v1/generations" : "/hailuo/videos";
  const body = isRivya
    ? { model: "hailuo-pro", prompt: "A lighthouse at dusk" }
    : { action: "generate", prompt: "Internal heat" };
  return [
    `curl ${baseOf(world)}${path}`,
    `-H ${quoted(`Authorization: Bearer ${key?.key ?? "KEY"}`)}`,
    "-H 'Content-Type: application/json'",
    `-d ${quoted(JSON.stringify(body))}`,
  ].join(" \\\n  ");
}
