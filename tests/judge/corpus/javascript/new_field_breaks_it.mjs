// Refuses an answer with a field that it does not know.
import { client } from "./base/rivya_fetch.mjs";

const { look } = client;
const known = new Set(
  "id status model reserved_credits final_credits created_at updated_at result error".split(" "),
);

client.look = async (id) => {
  const task = await look(id);
  const unknown = Object.keys(task).filter((name) => !known.has(name));
  if (unknown.length) throw new TypeError(`unrecognized keys: ${unknown}`);
  return task;
};
await client.makeVideo();
