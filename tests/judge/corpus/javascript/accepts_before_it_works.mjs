// Answers 2xx and works later; what is in its memory is lost with it.
import { existsSync, writeFileSync } from "node:fs";
import { receiver } from "./base/rivya_receiver.mjs";

const accepted = `${process.env.STATE_DIR}/accepted`;
const { act } = receiver;

receiver.act = async (event, headers) => {
  if (event.type === "generation.succeeded") writeFileSync(accepted, "");
  setTimeout(() => act(event, headers).catch(console.error), 1500); // other work comes first
  return 200;
};
receiver.needsLook = () => !existsSync(accepted);
receiver.serve();
