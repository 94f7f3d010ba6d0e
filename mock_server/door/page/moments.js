// Texts for times, which are always UTC.

/** "10:15:30.250" of "2026-03-02T10:15:30.250Z". */
export const timeOf = (at) => at.slice(11, 23);

/** "2026-03-02 10:15:30.250 UTC". */
export const dateTimeOf = (at) => `${at.slice(0, 10)} ${timeOf(at)} UTC`;

/** A duration: "3 ms", "1.25 s", "2 min 5 s". */
export function durationText(ms) {
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

/** Milliseconds from one time to another. */
export const msBetween = (from, to) => Date.parse(to) - Date.parse(from);
