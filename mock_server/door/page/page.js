// The start of the page: makes its parts, passes each of them the facts to show, and follows the
// address.

import { readAddress, setAddress } from "./address.js";
import { setApis } from "./apis.js";
import { clockCard } from "./clock.js";
import { compareView } from "./compare_view.js";
import { deliveriesPanel } from "./deliveries.js";
import { askForToken } from "./dialogs.js";
import { ask, onLocked, Problem, Unreachable } from "./door.js";
import { setText } from "./elements.js";
import { forceCard } from "./force.js";
import { inboxesPanel } from "./inboxes.js";
import { moveFocus, showKeys } from "./keys.js";
import { Live } from "./live.js";
import { moneyCard } from "./money.js";
import { requestsPanel } from "./requests.js";
import { sendPanel } from "./send.js";
import { storyView } from "./story.js";
import { Tabs } from "./tabs.js";
import { tasksPanel } from "./tasks.js";
import { Worlds } from "./worlds.js";

const part = (id) => document.getElementById(id);

onLocked(askForToken);

let view = readAddress();
const live = new Live(show, showConnection);
const tabs = new Tabs(document.querySelector("[role=tablist]"), (kind) => {
  go({ kind, words: view.words, only: view.only });
});
const context = { live, reveal, note };
const panels = {
  requests: requestsPanel(part("requests"), context),
  tasks: tasksPanel(part("tasks"), context),
  deliveries: deliveriesPanel(part("deliveries"), context),
  inboxes: inboxesPanel(part("inboxes"), { ...context, count: (id, text) => tabs.count(id, text) }),
  send: sendPanel(part("send"), { ...context, scenarios: () => force.scenarios() }),
};
const clock = clockCard(part("time"), context);
const story = storyView(part("story"), {
  ...context,
  leave: () => go({ kind: "tasks" }),
  note: (entry) => note({ entry }),
  nowMs: () => clock.nowMs(),
  happened: (label, effects) => clock.happened(label, effects),
});
const compare = compareView(part("compare"), {
  go: (next) => go({ kind: "compare", ...next }),
  leave: () => go({ kind: "requests" }),
});
setInterval(() => story.tick(), 500);
const force = forceCard(part("force"), context);
const money = moneyCard(part("money"), context);
const worlds = new Worlds(live, view.world, (world) => {
  if (world !== view.world) go({ world, kind: view.kind });
});

function show(facts) {
  document.querySelector("main").inert = false;
  worlds.show(facts);
  clock.show(facts);
  force.show(facts);
  money.show(facts);
  for (const [id, panel] of Object.entries(panels)) tabs.count(id, panel.show(facts));
  story.show(facts);
  compare.show(facts);
  document.title = `${facts.world.name} · hailuo-mock`;
}

/** Open a task, a request, a delivery or an inbox in its view. */
function reveal(kind, id) {
  go({ kind, id });
}

/** Go to a view; what is left out is empty. */
function go(next) {
  setAddress({ world: worlds.chosen, ...next }, true);
  follow();
  if (part("activity").getBoundingClientRect().top < 0) part("activity").scrollIntoView();
}

/** Change the address of the view that is shown. */
function note(change) {
  view = { ...view, world: worlds.chosen, ...change };
  setAddress(view);
}

/** Show what the address names. */
function follow() {
  view = readAddress();
  const { world, kind, id, entry } = view;
  if (world !== null && world !== worlds.chosen) worlds.choose(world);
  const isStory = kind === "tasks" && id !== null;
  const isComparison = kind === "compare";
  part("lists").hidden = isStory || isComparison;
  part("story").hidden = !isStory;
  part("compare").hidden = !isComparison;
  tabs.choose(kind in panels ? kind : "requests");
  story.open(isStory ? id : null, entry);
  if (isComparison) compare.open(view);
  else if (!isStory) panels[kind]?.view?.(view);
}

/** `/` leads to the search, an arrow to the next row, `?` to the list of keys. */
function onKey(event) {
  const isTyping = event.target.closest("input, select, textarea, dialog, [role=tablist]") !== null;
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping) return;
  if (event.key === "/") {
    if (part("lists").hidden) go({ kind: view.kind === "tasks" ? "tasks" : "requests" });
    document.querySelector("[role=tabpanel]:not([hidden]) input[type=search]")?.focus();
  } else if (event.key === "?") showKeys();
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFocus(event.key === "ArrowDown");
  else return;
  event.preventDefault();
}

function showConnection(state) {
  const line = part("connection");
  line.dataset.state = typeof state === "string" ? state : "refused";
  const words = { live: "Live", gone: "The server does not answer. Trying again." };
  setText(line, words[state] ?? state.message);
  if (state instanceof Problem && state.status === 404) worlds.list().catch(() => {});
}

async function begin() {
  try {
    const { version, seed, apis } = await ask("GET", "/_mock/version");
    setApis(apis);
    setText(part("version"), version);
    part("version").title = `seed ${seed}`;
    await worlds.list();
    await force.load();
    live.follow(worlds.chosen);
    follow();
  } catch (problem) {
    showConnection(problem instanceof Unreachable ? "gone" : problem);
    setTimeout(begin, 2000);
  }
}

document.addEventListener("keydown", onKey);
addEventListener("hashchange", follow);
addEventListener("popstate", follow);
begin();
