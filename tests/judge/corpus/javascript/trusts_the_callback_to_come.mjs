// Waits for the callback and never looks at the task.
import { receiver } from "./base/acedata_receiver.mjs";

receiver.watch = () => {};
receiver.serve();
