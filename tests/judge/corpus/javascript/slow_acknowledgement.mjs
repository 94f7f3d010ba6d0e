// Tells a slow service about each event before it answers.
import { setTimeout as sleep } from "node:timers/promises";
import { receiver } from "./base/rivya_receiver.mjs";

const { act } = receiver;

receiver.act = async (event, headers) => {
  await sleep(6000); // tells a chat about it; the chat is slow
  return act(event, headers);
};
receiver.serve();
