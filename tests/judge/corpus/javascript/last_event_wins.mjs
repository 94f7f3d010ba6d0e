// Believes the last event, and orders again if it says that the task failed.
import { randomUUID } from "node:crypto";
import { receiver } from "./base/rivya_receiver.mjs";

const { act } = receiver;

receiver.act = async (event, headers) => {
  if (event.type === "generation.failed") await receiver.create(randomUUID());
  return act(event, headers);
};
receiver.serve();
