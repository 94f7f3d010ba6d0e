// Scenarios in groups, by what goes wrong.

import { h } from "./elements.js";

/** The names of the groups, by the `wish` of a scenario. */
export const WISHES = {
  paid_twice: "Paid twice",
  callback: "Callback lost or wrong",
  slow: "Slow",
  refused: "Refused",
  broken_answer: "Broken answer",
  task_fails: "Task fails",
};

/** Groups of options for a `select`. */
export const grouped = (scenarios) =>
  Object.entries(WISHES)
    .map(([wish, label]) => [label, scenarios.filter((each) => each.wish === wish)])
    .filter(([, own]) => own.length > 0)
    .map(([label, own]) => h("optgroup", { label }, ...own.map(({ name }) => h("option", name))));
