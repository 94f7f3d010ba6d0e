// Which part of a long list is in the page, so that the page stays fast however long the list is.

const MOST = 600; // items in the page
const STEP = 200; // items that one press of a button moves by

/** The part begins at the item number `from`; 0 is the newest. */
export class ShownPart {
  from = 0;

  of(items) {
    return items.slice(this.from, this.from + MOST);
  }

  /** Whether there are items after the part. */
  hasAfter(items) {
    return items.length > this.from + MOST;
  }

  older(items) {
    this.from = Math.min(this.from + STEP, Math.max(0, items.length - MOST));
  }

  newer() {
    this.from = Math.max(0, this.from - STEP);
  }

  /** Stay at the same items after so many came before all others. */
  shift(count) {
    if (this.from > 0) this.from += count;
  }

  /** Move to an item, if it is outside. */
  include(place) {
    if (place < this.from || place >= this.from + MOST) this.from = Math.max(0, place - STEP);
  }
}
