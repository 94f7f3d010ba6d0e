// Waits for the callback and polls as well, and acts on both.
import { setTimeout as sleep } from "node:timers/promises";
import { receiver } from "./base/acedata_receiver.mjs";

receiver.receive = async ({ task_id }) => {
  if (task_id === receiver.id) await receiver.save("callback");
};
receiver.watch = async () => {
  while (!receiver.isDone("poll")) {
    await sleep(500);
    await receiver.save("poll").catch(console.error);
  }
};
receiver.serve();
