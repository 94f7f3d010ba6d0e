// The panel of tasks of all APIs: their states and prices. A task opens as its story.

import { newestPanel } from "./activity.js";
import { counted } from "./elements.js";
import { LinkRow } from "./rows.js";

export const tasksPanel = (panel, { reveal, note }) =>
  newestPanel(panel, {
    nouns: "tasks",
    row: () => taskRow(reveal),
    note,
    chips: ["failed", "charged", "scenario"],
    title: "No tasks yet",
    text: "Each accepted create makes a task. Its credits are reserved until it ends.",
  });

function taskRow(reveal) {
  return new LinkRow({
    columns: ["status", "path", "model", "prompt", "took"],
    kindOf: (task) => task.state,
    cellsOf: (task) => [
      task.state,
      task.id,
      `${task.api} ${task.model}`,
      task.reason ? `${REASONS[task.reason] ?? task.reason} · ${promptOf(task)}` : promptOf(task),
      [`${counted(task.price_credits)} cr`, `${counted(task.price_credits)} credits`],
    ],
    atOf: (task) => task.created_at,
    choose: (task) => reveal("tasks", task.id),
  });
}

const REASONS = {
  moderation: "refused by moderation",
  bad_input: "unusable input",
  upstream_outage: "outage of the provider",
  timeout: "took too long",
};

const promptOf = (task) => String(task.request.prompt ?? "");
