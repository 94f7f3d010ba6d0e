export { World } from "./world.js";
export type FaultPlan = import("./faults.js").FaultPlan;
export type WorldPlan = import("./server.js").WorldPlan;
export type Schemas = import("./door.js").Schemas;
export { ControlError, Door } from "./door.js";
export { Server, attach, start, startOrAttach } from "./server.js";
export { sharedServer, useWorld, worldFor } from "./tests.js";
