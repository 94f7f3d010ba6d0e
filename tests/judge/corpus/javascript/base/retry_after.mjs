// The seconds of Retry-After, which may be a date; Infinity if nobody can read it.
export function toldSeconds(value) {
  const seconds = /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
  return Number.isNaN(seconds) ? Infinity : seconds;
}
