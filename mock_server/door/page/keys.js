// What the keys do.

import { dialog } from "./dialogs.js";
import { factList } from "./elements.js";

const KEYS = [
  ["/", "to the search"],
  ["Arrow down, arrow up", "to the next row, to the one before"],
  ["Enter", "open the row; in the search: the first row"],
  ["Arrow right, arrow left", "on a tab: the next list, the one before"],
  ["Escape", "close a dialog"],
  ["?", "these keys"],
];

export const showKeys = () =>
  dialog({ title: "Keys", fields: [], content: factList(KEYS), submit: "Close", act: async () => null });

/** Move the focus to the next row, or to the one before. */
export function moveFocus(isDown) {
  const heads = [...document.querySelectorAll(".head, .entry-head")].filter(
    (head) => head.offsetParent !== null,
  );
  const place = heads.indexOf(document.activeElement.closest(".head, .entry-head"));
  const next = heads[place === -1 ? 0 : place + (isDown ? 1 : -1)];
  next?.focus();
}
