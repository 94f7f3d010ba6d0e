// Moments of a world, which are always UTC, as people read them.

/** "10:15:30.250" of "2026-03-02T10:15:30.250Z". */
export const timeOf = (at) => at.slice(11, 23);

/** "2026-03-02 10:15:30.250 UTC". */
export const wholeOf = (at) => `${at.slice(0, 10)} ${timeOf(at)} UTC`;

/** How long something took: "3 ms", "1.25 s", "2 min 5 s". */
export function lengthOf(ms) {
  if (ms < 1000) return `${ms} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(2))} s`;
  const [hours, minutes, seconds] = [
    Math.floor(ms / 3_600_000),
    Math.floor(ms / 60_000) % 60,
    Math.floor(ms / 1000) % 60,
  ];
  return [hours && `${hours} h`, minutes && `${minutes} min`, seconds && `${seconds} s`]
    .filter(Boolean)
    .join(" ");
}

/** How long from one moment to the other, in milliseconds. */
export const between = (from, to) => Date.parse(to) - Date.parse(from);
