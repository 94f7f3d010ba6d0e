// Tasks of both APIs: how they stand, what they cost, and ending one by hand.

import { Activity, Row } from "./activity.js";
import { addressOf, ask, inWorld } from "./door.js";
import { actionButton, counted, factList, h, problemSlot, say } from "./elements.js";
import { prettyJson } from "./json.js";
import { isOver } from "./live.js";
import { timeOf, wholeOf } from "./moments.js";

export function tasksPanel(panel, { live }) {
  let world = null;
  const cut = h("p.hint", { hidden: true });
  const activity = new Activity(panel, {
    nouns: "tasks",
    keyOf: (task) => task.id,
    row: () => taskRow(() => world, live),
    wordsOf: (task) =>
      `${task.id} ${task.api} ${task.model} ${task.state} ${task.account} ${JSON.stringify(task.request)}`,
    empty: h(
      "div",
      h("h3", "No tasks yet"),
      h("p", "Every create that was accepted becomes one. It holds its credits until it ends."),
    ),
  });
  activity.below.append(cut);

  return {
    show(facts) {
      world = facts.world;
      const { tasks, totalTasks } = facts;
      activity.show([...tasks].reverse());
      cut.hidden = totalTasks <= tasks.length;
      say(cut, `The newest ${tasks.length} of ${counted(totalTasks)}.`);
      return counted(totalTasks);
    },
    reveal: (id) => activity.reveal(id),
  };
}

function taskRow(world, live) {
  const cells = {
    state: h("span.status"),
    id: h("span.path"),
    model: h("span.model"),
    prompt: h("span.prompt"),
    price: h("span.took"),
    time: h("time"),
  };
  const fill = (task, node) => {
    node.dataset.kind = task.state;
    say(cells.state, task.state);
    say(cells.id, task.id);
    say(cells.model, `${task.api} ${task.model}`);
    say(cells.prompt, task.request.prompt ?? "");
    say(cells.price, `${counted(task.price_credits)} cr`);
    cells.price.title = `${counted(task.price_credits)} credits`;
    say(cells.time, timeOf(task.created_at));
    cells.time.dateTime = task.created_at;
    cells.time.title = wholeOf(task.created_at);
  };
  const detail = (task) =>
    [
      factList(factsOf(task)),
      isOver(task) ? null : finishing(task, world().name, live),
      task.state === "succeeded" ? video(task, world().name) : null,
      h(
        "section.message",
        h("h4", "What was asked for"),
        h(
          "div.body",
          h("pre.mono", { tabindex: "0" }, ...prettyJson(JSON.stringify(task.request))),
        ),
      ),
    ].filter(Boolean);
  return new Row(Object.values(cells), fill, detail);
}

function factsOf(task) {
  const ends = task.ends_at === null ? "never, if it is left alone" : wholeOf(task.ends_at);
  return [
    ["Task", task.id],
    ["Account", task.account],
    [
      "Credits",
      `${counted(task.price_credits)}, ${{ succeeded: "spent", failed: "given back" }[task.state] ?? "reserved"}`,
    ],
    ["Created", wholeOf(task.created_at)],
    ["Taken up", wholeOf(task.taken_up_at)],
    [isOver(task) ? "Ended" : "Ends", ends],
  ];
}

function finishing(task, world, live) {
  const problem = problemSlot();
  const finish = (state) => async () => {
    await ask("POST", inWorld(world, `/tasks/${encodeURIComponent(task.id)}/finish`), {
      body: { state },
    });
    live.nudge();
  };
  return h(
    "div.tools",
    actionButton("Finish as succeeded", problem, finish("succeeded")),
    actionButton("Finish as failed", problem, finish("failed")),
    problem,
  );
}

/** Loaded when it is played: a look at a task is no request that anybody has to explain. */
function video(task, world) {
  const address = addressOf(
    `/media/${encodeURIComponent(world)}/${encodeURIComponent(task.id)}.mp4`,
  );
  return h(
    "figure.video",
    h("video", { controls: true, preload: "none", src: address, "aria-label": "The result" }),
    h(
      "figcaption",
      h("a", { href: address, target: "_blank", rel: "noreferrer" }, "Open the video"),
    ),
  );
}
