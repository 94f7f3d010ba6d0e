/** The control door of hailuo-mock for tests in Node.js. */

export { ControlError, Door } from "./door.js";
export { Server, attach, start, startOrAttach } from "./server.js";
export { sharedServer, useWorld, worldFor } from "./tests.js";
export { World } from "./world.js";

/** @typedef {import("./faults.js").FaultPlan} FaultPlan */
/** @typedef {import("./server.js").WorldPlan} WorldPlan */
/** @typedef {import("./door.js").Schemas} Schemas */
