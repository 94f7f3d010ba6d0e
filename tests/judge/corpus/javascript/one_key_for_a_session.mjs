// Makes one key at its start and uses it for each job.
import { randomUUID } from "node:crypto";
import { client } from "./base/rivya_fetch.mjs";

const session = client.kept("session", { key: randomUUID() });

for (const prompt of ["A lighthouse at dusk", "A lighthouse at dawn"]) {
  session[prompt] ??= (await client.create({ model: "hailuo-pro", prompt }, session.key)).id;
  client.keep("session", session);
  await client.saveWhenReady(session[prompt]);
}
