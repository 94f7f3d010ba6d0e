// Takes a conflict for a key that is used up, and makes a new one.
import { randomUUID } from "node:crypto";
import { client } from "./base/rivya_fetch.mjs";

const { request } = client;

client.request = async (method, url, body, headers) => {
  for (;;) {
    const answer = await request(method, url, body, headers);
    if (answer.status !== 409) return answer;
    await answer.text();
    headers["idempotency-key"] = randomUUID();
  }
};
await client.makeVideo();
