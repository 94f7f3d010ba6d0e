// The story of one task: lanes over time, the same as a list, and what can be done with the task.

import { linkTo } from "./address.js";
import { ask, inWorld, Problem } from "./door.js";
import { DueList } from "./due.js";
import { copyButton, counted, factList, h, linkButton, problemSlot, setText, showProblem } from "./elements.js";
import { prettyJson } from "./json.js";
import { hasEnded } from "./live.js";
import { foldedMoves } from "./story_fold.js";
import { StoryRows } from "./story_rows.js";
import { takeAway } from "./take_away.js";
import { factsOf, finishButtons, video } from "./task_parts.js";
import { timeline } from "./timeline.js";

/**
 * The view of a task in `panel`. `leave()`: back to the lists; `note(entry)`: puts the open entry
 * into the address; `nowMs`, `happened`: of the clock's card.
 */
export function storyView(panel, { live, reveal, leave, note, nowMs, happened }) {
  let world = null;
  let taskId = null;
  let shown = ""; // JSON of what is drawn
  const title = h("h2.story-title", { tabindex: "-1" });
  const state = h("span.status");
  const summary = h("p.story-sum");
  const lanes = h("div");
  const problem = problemSlot();
  const tools = h("div.tools");
  const about = h("div.about");
  let now = null; // what is shown: the world, the task, the entries
  const rows = new StoryRows({ world: () => world, reveal, note });
  const due = new DueList({ live, reveal, name: "What comes next for this task", onHappened: happened });
  const node = h(
    "div.story",
    h("div.story-head", linkButton("All tasks", leave), title, state, tools, summary),
    due.node,
    lanes,
    rows.node,
    takeAway(() => now),
    about,
  );
  panel.append(problem, node);

  async function read() {
    const asked = taskId;
    const path = inWorld(world.name, `/tasks/${encodeURIComponent(asked)}`);
    try {
      const query = new URLSearchParams({ task: asked, limit: 3 });
      const [task, story, next] = await Promise.all([
        ask("GET", path),
        ask("GET", `${path}/story`),
        ask("GET", inWorld(world.name, `/due?${query}`)),
      ]);
      if (asked !== taskId) return;
      showProblem(problem, null);
      node.hidden = false;
      draw(task, story);
      due.show(world.name, next.due, nowMs);
    } catch (error) {
      if (asked !== taskId) return;
      showProblem(problem, error);
      if (error instanceof Problem && error.status === 404) node.hidden = true;
    }
  }

  function draw(task, story) {
    const json = JSON.stringify([task, story]);
    if (json === shown) return;
    shown = json;
    setText(title, promptOf(task));
    title.title = task.id;
    setText(state, task.state);
    node.dataset.kind = task.state;
    setText(summary, sumOf(task, story));
    const entries = foldedMoves(story.entries);
    now = { world, task, entries };
    lanes.replaceChildren(timeline(entries, (key) => rows.open(key)));
    rows.show(entries);
    drawTools(task);
    drawAbout(task, story);
  }

  function drawTools(task) {
    const address = () => new URL(linkTo({ world: world.name, kind: "tasks", id: task.id }), location.href).href;
    tools.replaceChildren(
      ...(hasEnded(task) ? [] : [finishButtons(task, world.name, live)]),
      copyButton("Copy link", address),
    );
  }

  function drawAbout(task, story) {
    const notKept = story.not_kept
      ? h("p.hint", `${counted(story.not_kept)} more requests, attempts and faults are not kept.`)
      : null;
    const open = new Set(
      [...about.querySelectorAll("details[open]")].map((each) => each.dataset.name),
    );
    const playing = about.querySelector("video");
    const fold = (name, ...inside) => {
      const made = h("details", h("summary", name), ...inside);
      made.dataset.name = name;
      made.open = open.has(name);
      return made;
    };
    const film = task.state === "succeeded" ? (playing?.closest("figure") ?? video(task, world.name)) : null;
    about.replaceChildren(
      ...[
        notKept,
        fold("Task", factList(factsOf(task))),
        fold(
          "Its request",
          h("div.body", h("pre.mono", { tabindex: "0" }, ...prettyJson(JSON.stringify(task.request)))),
        ),
        film && fold("Video", film),
      ].filter(Boolean),
    );
  }

  return {
    /** Show the world's newest state, or another task. */
    show(facts) {
      world = facts.world;
      if (taskId !== null) read();
    },
    tick: () => taskId !== null && due.tick(),
    /** Open a task; `entry`: the entry to open in place of the first odd one. */
    open(id, entry) {
      if (id !== taskId) {
        taskId = id;
        shown = "";
        rows.begin(entry);
        node.hidden = true;
        if (world !== null && id !== null) read().then(() => title.focus({ preventScroll: true }));
      } else if (entry) rows.open(entry);
    },
  };
}

const promptOf = (task) => String(task.request.prompt ?? task.id);

/** "MODEL of API · 57 credits, spent · 3 things are odd". */
function sumOf(task, { entries }) {
  const odd = entries.filter((entry) => entry.is_odd).length;
  const use = { succeeded: "spent", failed: "given back" }[task.state] ?? "held";
  return [
    task.id,
    `${task.api} ${task.model}`,
    `${counted(task.price_credits)} credits, ${use}`,
    odd === 0 ? "nothing is odd" : `${counted(odd)} odd`,
  ].join(" · ");
}
