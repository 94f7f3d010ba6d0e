// Retries what the library has already retried.
import { Agent, fetch, interceptors } from "undici";
import { client } from "./base/rivya_fetch.mjs";

const dispatcher = new Agent().compose(
  interceptors.retry({ maxRetries: 2, minTimeout: 100, maxTimeout: 150, methods: ["GET", "POST"] }),
);

client.fetch = (url, options) => fetch(url, { ...options, dispatcher });
client.timeLimit = () => AbortSignal.timeout(2500);
client.backoffMs = (attempt) => 800 * 1.5 ** attempt * (1 + Math.random() / 2);
client.end = Date.now() + 15_000;
await client.makeVideo();
