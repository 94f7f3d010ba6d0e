// Makes one video on Rivya and saves it, with fetch. A program replaces the step that it gets wrong.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { toldSeconds } from "./retry_after.mjs";

const { RIVYA_BASE_URL, RIVYA_API_KEY, STATE_DIR } = process.env;

export const client = {
  api: `${RIVYA_BASE_URL}/api/v1/generations`,
  end: Date.now() + 5000,
  order: { model: "hailuo-pro", prompt: "Slow dolly towards a lighthouse at dusk" },
  attempts: { POST: 4, GET: 4 },
  lookEveryMs: 300,
  toldSeconds,
  fetch,

  // A restart continues the same job.
  async makeVideo() {
    const job = client.kept("job", { key: randomUUID() });
    job.id ??= (await client.create(client.order, job.key)).id;
    client.keep("job", job);
    await client.saveWhenReady(job.id);
  },

  // What an earlier run has kept, or what is kept now.
  kept(name, value) {
    const file = `${STATE_DIR}/${name}.json`;
    return existsSync(file) ? JSON.parse(readFileSync(file)) : client.keep(name, value);
  },

  keep(name, value) {
    writeFileSync(`${STATE_DIR}/${name}.json`, JSON.stringify(value));
    return value;
  },

  create(order, key) {
    const headers = { "content-type": "application/json", ...client.keyHeaders(key) };
    return client.send("POST", client.api, order, headers);
  },

  keyHeaders: (key) => ({ "idempotency-key": key }),

  async saveWhenReady(id) {
    const task = await client.waitFor(id);
    await client.save(task.result.primary_url);
  },

  async waitFor(id) {
    while (Date.now() < client.end) {
      const task = await client.look(id);
      if (client.isReady(task)) return task;
      await sleep(client.lookEveryMs);
    }
    client.stop("not ready in time");
  },

  look: (id) => client.send("GET", `${client.api}/${id}`),

  isReady(task) {
    if (task.status === "failed") client.stop(`failed: ${task.error?.message}`);
    return task.status === "succeeded" && task.result.primary_url;
  },

  // The answer, after as many attempts as it takes.
  async send(method, url, body, headers = {}) {
    for (let attempt = 0; attempt < client.attempts[method]; attempt++) {
      let waitMs = client.backoffMs(attempt);
      try {
        const answer = await client.request(method, url, body, headers);
        const text = await answer.text();
        if (answer.ok) return JSON.parse(text);
        if (client.isFinal(answer.status, text)) client.stop(`refused: ${text}`);
        waitMs = Math.max(waitMs, 1000 * client.toldSeconds(answer.headers.get("retry-after") ?? ""));
      } catch (error) {
        client.onBroken(error);
      }
      if (Date.now() + waitMs > client.end) break;
      await sleep(waitMs);
    }
    client.stop("no answer");
  },

  backoffMs: (attempt) => 200 * 2 ** attempt * (1 + Math.random()),

  request(method, url, body, headers) {
    return client.fetch(url, {
      method,
      headers: { authorization: `Bearer ${RIVYA_API_KEY}`, ...headers },
      body: body && JSON.stringify(body),
      signal: client.timeLimit(),
    });
  },

  timeLimit: () => AbortSignal.timeout(1500),

  // Whether it is of no use to send the same again.
  isFinal: (status, text) => (status !== 429 && status < 500) || text.includes("credits"),

  onBroken: (error) => console.error(`${error}`),

  async save(url) {
    for (const waitMs of [200, 400, 800]) {
      try {
        return writeFileSync(`${STATE_DIR}/video.mp4`, await client.download(url));
      } catch (error) {
        console.error(`${error}`);
      }
      await sleep(waitMs);
    }
    client.stop("no video");
  },

  async download(url) {
    const answer = await fetch(url, { signal: AbortSignal.timeout(1500) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  },

  stop(reason) {
    console.error(reason);
    process.exit(1);
  },
};
