// What both round trips need.
declare const process: { argv: string[] };

export const url: string = process.argv[2] ?? "";

export function require(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

export function later(wait_ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, wait_ms));
}
