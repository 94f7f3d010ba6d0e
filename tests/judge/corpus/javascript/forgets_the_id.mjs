// Has the id of its job only in memory; a restart takes the next of its list.
import { randomUUID } from "node:crypto";
import { client } from "./base/rivya_fetch.mjs";

const waiting = client.kept("waiting", ["A lighthouse at dusk"]);
const prompt = waiting.shift();

if (prompt) {
  const { id } = await client.create({ model: "hailuo-pro", prompt }, randomUUID());
  client.keep("waiting", waiting);
  await client.saveWhenReady(id);
}
