// The page for people: puts its parts together, and hands each what there is to show.

import { clockCard } from "./clock.js";
import { deliveriesPanel } from "./deliveries.js";
import { askForToken } from "./dialogs.js";
import { ask, Gone, Problem, whenLocked } from "./door.js";
import { say } from "./elements.js";
import { forceCard } from "./force.js";
import { inboxesPanel } from "./inboxes.js";
import { Live } from "./live.js";
import { moneyCard } from "./money.js";
import { requestsPanel } from "./requests.js";
import { Tabs } from "./tabs.js";
import { tasksPanel } from "./tasks.js";
import { Worlds } from "./worlds.js";

const part = (id) => document.getElementById(id);

whenLocked(askForToken);

const live = new Live(show, tellConnection);
const tabs = new Tabs(document.querySelector("[role=tablist]"));
const context = { live, reveal };
const panels = {
  requests: requestsPanel(part("requests"), context),
  tasks: tasksPanel(part("tasks"), context),
  deliveries: deliveriesPanel(part("deliveries"), context),
  inboxes: inboxesPanel(part("inboxes"), { count: (id, text) => tabs.count(id, text) }),
};
const clock = clockCard(part("time"), context);
const force = forceCard(part("force"), context);
const money = moneyCard(part("money"), context);
const worlds = new Worlds(live);

function show(facts) {
  document.querySelector("main").inert = false;
  worlds.show(facts);
  clock.show(facts);
  force.show(facts);
  money.show(facts);
  for (const [id, panel] of Object.entries(panels)) tabs.count(id, panel.show(facts));
  document.title = `${facts.world.name} · hailuo-mock`;
}

/** Show a task or a delivery among the others of its kind. */
function reveal(kind, id) {
  tabs.choose(kind);
  panels[kind].reveal(id);
}

function tellConnection(state) {
  const line = part("connection");
  line.dataset.state = typeof state === "string" ? state : "refused";
  const words = { live: "Live", gone: "The server is gone, trying again" };
  say(line, words[state] ?? state.message);
  if (state instanceof Problem && state.status === 404) worlds.list().catch(() => {});
}

async function begin() {
  try {
    const { version, seed } = await ask("GET", "/_mock/version");
    say(part("version"), version);
    part("version").title = `seed ${seed}`;
    await worlds.list();
    await force.load();
    live.follow(worlds.chosen);
  } catch (problem) {
    tellConnection(problem instanceof Gone ? "gone" : problem);
    setTimeout(begin, 2000);
  }
}

begin();
