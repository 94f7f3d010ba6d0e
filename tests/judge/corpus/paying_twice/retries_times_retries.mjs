// Makes one video on Rivya and saves it.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, fetch, interceptors } from "undici";

const { RIVYA_BASE_URL, RIVYA_API_KEY, STATE_DIR } = process.env;
const api = `${RIVYA_BASE_URL}/api/v1/generations`;
const end = Date.now() + 15_000;
const dispatcher = new Agent().compose(
  interceptors.retry({ maxRetries: 2, minTimeout: 100, maxTimeout: 150, methods: ["GET", "POST"] }),
);

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value) {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

async function send(method, url, body, headers) {
  for (let attempt = 0; attempt < 4; attempt++) {
    let waitMs = 800 * 1.5 ** attempt * (1 + Math.random() / 2);
    try {
      const answer = await fetch(url, {
        method,
        dispatcher,
        headers: { authorization: `Bearer ${RIVYA_API_KEY}`, ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(2500),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      const told = toldSeconds(answer.headers.get("retry-after") ?? "");
      const isFinal = answer.status !== 429 && answer.status < 500;
      if (isFinal || text.includes("credits") || Number.isNaN(told)) stop(`refused: ${text}`);
      waitMs = Math.max(waitMs, 1000 * told);
    } catch (error) {
      console.error(`${error}`);
    }
    if (Date.now() + waitMs > end) break;
    await sleep(waitMs);
  }
  stop("no answer");
}

async function download(url) {
  for (const waitMs of [200, 400, 800]) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1500) });
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (answer.ok) return writeFileSync(`${STATE_DIR}/video.mp4`, bytes);
    } catch (error) {
      console.error(`${error}`);
    }
    await sleep(waitMs);
  }
  stop("no video");
}

function stop(reason) {
  console.error(reason);
  process.exit(1);
}

const file = `${STATE_DIR}/job.json`;
const job = existsSync(file) ? JSON.parse(readFileSync(file)) : { key: randomUUID() };
writeFileSync(file, JSON.stringify(job));
if (!job.id) {
  const order = { model: "hailuo-pro", prompt: "Slow dolly towards a lighthouse at dusk" };
  const headers = { "content-type": "application/json", "idempotency-key": job.key };
  job.id = (await send("POST", api, order, headers)).id;
  writeFileSync(file, JSON.stringify(job));
}
while (Date.now() < end) {
  const task = await send("GET", `${api}/${job.id}`);
  if (task.status === "failed") stop(`failed: ${task.error?.message}`);
  if (task.status === "succeeded" && task.result.primary_url) {
    await download(task.result.primary_url);
    process.exit(0);
  }
  await sleep(300);
}
stop("not ready in time");
