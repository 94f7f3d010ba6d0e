// Believes the last event, and orders again if it says that the task failed.
import { receiver } from "./base/rivya_receiver.mjs";

const { act } = receiver;

receiver.act = async (event, headers) => {
  if (event.type === "generation.failed") await receiver.createAgain();
  return act(event, headers);
};
receiver.serve();
