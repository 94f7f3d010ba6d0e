// The card with the credits of every account: granted = available + reserved + spent.

import { inWorld } from "./door.js";
import { busy, counted, h, keyedList, numberInput, problemSlot, setText } from "./elements.js";

const PARTS = ["available", "reserved", "spent"];

export function moneyCard(card, { live }) {
  let world = null;
  const list = h("div.accounts");
  const draw = keyedList(
    list,
    (account) => account.name,
    () => accountBox(() => world, live),
  );
  card.append(list);
  return {
    show(facts) {
      world = facts.world;
      draw(facts.accounts);
    },
  };
}

function accountBox(world, live) {
  let account = null;
  const name = h("b.mono");
  const granted = h("span.hint");
  const bars = PARTS.map((part) => h("span", { class: part }));
  const amounts = PARTS.map(() => h("b"));
  const problem = problemSlot();
  const field = numberInput({ required: true, "aria-label": "Credits that can be spent" });
  const set = h("button", { type: "submit" }, "Set");
  const change = h("form.change", { hidden: true }, field, set);
  const open = h("button.link", { type: "button", "aria-expanded": "false" }, "change");

  const toggle = (isOpen) => {
    change.hidden = !isOpen;
    open.setAttribute("aria-expanded", String(isOpen));
    if (!isOpen) return;
    field.value = account.credits;
    field.select();
  };
  open.addEventListener("click", () => toggle(change.hidden));
  change.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(set, problem, async () => {
      const path = inWorld(world().name, `/accounts/${encodeURIComponent(account.name)}`);
      await live.change("PATCH", path, { credits: Number(field.value) });
      toggle(false);
    });
  });

  const node = h(
    "section.account-box",
    h("p.owner", name, granted, open),
    h("div.bar", { "aria-hidden": "true" }, ...bars),
    h(
      "dl.amounts",
      ...PARTS.map((part, index) =>
        h("div", { class: part }, h("dt", part), h("dd", amounts[index])),
      ),
    ),
    change,
    problem,
  );
  return {
    node,
    show(now) {
      account = now;
      setText(name, now.name);
      setText(granted, `${counted(now.ledger.granted)} granted`);
      open.setAttribute("aria-label", `Change what ${now.name} can spend`);
      PARTS.forEach((part, index) => {
        setText(amounts[index], counted(now.ledger[part]));
        bars[index].style.flexGrow = now.ledger[part] / (now.ledger.granted || 1);
        bars[index].hidden = now.ledger[part] === 0;
      });
    },
  };
}
