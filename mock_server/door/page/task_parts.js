// Parts of the view of one task: its facts, the buttons that end it, its video.

import { addressOf, inWorld } from "./door.js";
import { actionButton, counted, h, problemSlot } from "./elements.js";
import { hasEnded } from "./live.js";
import { dateTimeOf } from "./moments.js";

/** What is known of a task besides its story. */
export function factsOf(task) {
  const ends = task.ends_at === null ? "never by itself" : dateTimeOf(task.ends_at);
  const use = { succeeded: "spent", failed: "given back" }[task.state] ?? "reserved";
  return [
    ["Task", task.id],
    ["Account", task.account],
    ["Credits", `${counted(task.price_credits)}, ${use}`],
    ["Created", dateTimeOf(task.created_at)],
    ["Taken up", dateTimeOf(task.taken_up_at)],
    [hasEnded(task) ? "Ended" : "Ends", ends],
  ];
}

/** Buttons that end a task now. */
export function finishButtons(task, world, live) {
  const problem = problemSlot();
  const path = inWorld(world, `/tasks/${encodeURIComponent(task.id)}/finish`);
  const finish = (state) =>
    actionButton(`Finish as ${state}`, problem, () => live.change("POST", path, { state }));
  return h("div.tools", finish("succeeded"), finish("failed"), problem);
}

/** The result, loaded when it is played: opening a task adds no request to the journal. */
export function video(task, world) {
  const address = addressOf(
    `/media/${encodeURIComponent(world)}/${encodeURIComponent(task.id)}.mp4`,
  );
  return h(
    "figure.video",
    h("video", {
      controls: true,
      preload: "none",
      poster: "page/poster.svg",
      src: address,
      "aria-label": "The result",
    }),
    h(
      "figcaption",
      h("a", { href: address, target: "_blank", rel: "noreferrer" }, "Open the video"),
    ),
  );
}
