// Writes down that an event is done before it has worked.
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { receiver } from "./base/rivya_receiver.mjs";

const seen = `${process.env.STATE_DIR}/seen`;

receiver.isDone = (mark) => {
  if (existsSync(seen) && readFileSync(seen, "utf8").includes(mark)) return true;
  appendFileSync(seen, `${mark}\n`);
  return false;
};
receiver.serve();
