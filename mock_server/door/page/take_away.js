// A story as files: one HTML page, a HAR of its requests, a test for pytest, a scenario.

import { ask, inWorld } from "./door.js";
import { actionButton, h, problemSlot } from "./elements.js";
import { exampleTest } from "./example_test.js";
import { readExchange } from "./exchange.js";
import { dateTimeOf } from "./moments.js";
import { laneOf, moneyOf, titleOf } from "./story_words.js";

/** Buttons that save the story. story(): `{ world, task, entries }` as shown now. */
export function takeAway(story) {
  const problem = problemSlot();
  const button = (label, save) => actionButton(label, problem, save, { class: "quiet" });
  return h(
    "div.tools",
    { role: "group", "aria-label": "Take away" },
    button("Save as HTML", () => {
      const { task, entries } = story();
      save(`${task.id}.html`, "text/html", htmlOf(task, entries));
    }),
    button("Save as HAR", async () => {
      const { world, task } = story();
      const query = new URLSearchParams({ task: task.id, format: "har" });
      const har = await ask("GET", inWorld(world.name, `/requests?${query}`));
      save(`${task.id}.har`, "application/json", JSON.stringify(har, null, 2));
    }),
    button("Save as pytest test", async () => {
      const { world, task, entries } = story();
      const create = entries.find((entry) => entry.type === "request" && entry.request);
      if (create === undefined) throw new Error("The request that made this task is not known.");
      const exchange = await readExchange(world.name, create.request);
      save(`test_${task.id}.py`, "text/x-python", exampleTest(exchange, task));
    }),
    button("Save as scenario", async () => {
      const { world, task } = story();
      const path = inWorld(world.name, `/tasks/${encodeURIComponent(task.id)}/scenario`);
      const { name, toml } = await ask("GET", path);
      save(`${name}.toml`, "application/toml", toml);
    }),
    problem,
  );
}

/** The story as one HTML file: no script, no style, and nothing is loaded. */
export function htmlOf(task, entries) {
  const page = document.implementation.createHTMLDocument(`Story of ${task.id}`);
  const charset = page.createElement("meta");
  charset.setAttribute("charset", "utf-8");
  page.documentElement.lang = "en";
  page.head.prepend(charset);
  const money = moneyOf(entries);
  const cells = (name, ...texts) => texts.map((text) => h(name, text));
  const rows = entries.map((entry, place) => {
    const [credits] = money[place];
    const row = h(
      "tr",
      ...cells("td", dateTimeOf(entry.at), laneOf(entry), titleOf(entry), credits, entry.why ?? ""),
    );
    if (entry.is_odd) {
      row.className = "odd";
      row.children[2].prepend(h("strong", "! "));
    }
    return row;
  });
  const head = h("tr", ...cells("th", "Time of the world", "Lane", "What happened", "Credits", "Why"));
  page.body.append(
    h("h1", String(task.request.prompt ?? task.id)),
    h("p", `${task.id} · ${task.api} ${task.model} · ${task.state} · ${task.price_credits} credits`),
    h("table", { border: "1", cellpadding: "4" }, h("thead", head), h("tbody", ...rows)),
    h("h2", "Its request"),
    h("pre", JSON.stringify(task.request, null, 2)),
  );
  return `<!doctype html>\n${new XMLSerializer().serializeToString(page.documentElement)}`;
}

function save(name, type, text) {
  const address = URL.createObjectURL(new Blob([text], { type }));
  h("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}
