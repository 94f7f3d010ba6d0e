// Makes one video on Rivya and saves it. A restart continues the same job.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL: base, RIVYA_API_KEY: key, STATE_DIR: dir } = process.env;
const order = { model: "hailuo-pro", prompt: "Slow dolly towards a lighthouse at dusk" };
const end = Date.now() + 5000;

function stop(reason) {
  console.error(reason);
  process.exit(1);
}

async function pause(attempt, answer) {
  const told = answer?.headers.get("retry-after") ?? "";
  const toldMs = /^\d+$/.test(told) ? told * 1000 : Date.parse(told) - Date.now() || 0;
  const backoffMs = 200 * 2 ** attempt * (0.5 + Math.random() / 2);
  const waitMs = Math.max(backoffMs, toldMs);
  if (Date.now() + waitMs > end) stop("no time left");
  await sleep(waitMs);
}

async function call(method, path, body, headers = {}) {
  for (let attempt = 0; attempt < 5; attempt++) {
    let answer;
    try {
      answer = await fetch(base + path, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(1500),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      if (text.includes("insufficient_credits")) stop("no credits left");
      if (answer.status !== 429 && answer.status < 500) stop(`${answer.status} ${text}`);
    } catch (error) {
      console.error(`${method} ${path}: ${error}`);
    }
    await pause(attempt, answer);
  }
  stop("too many attempts");
}

async function download(url) {
  for (let attempt = 0; attempt < 4; attempt++) {
    let answer;
    try {
      answer = await fetch(url, { signal: AbortSignal.timeout(1500) });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const bytes = Buffer.from(await answer.arrayBuffer());
      if (bytes.length !== Number(answer.headers.get("content-length"))) throw new Error("cut");
      return writeFileSync(`${dir}/video.mp4`, bytes);
    } catch (error) {
      console.error(`download: ${error}`);
    }
    await pause(attempt, answer);
  }
  stop("the download failed");
}

const file = `${dir}/job.json`;
const job = existsSync(file) ? JSON.parse(readFileSync(file)) : { key: randomUUID() };
writeFileSync(file, JSON.stringify(job));
if (!job.id) {
  const task = await call("POST", "/api/v1/generations", order, { "idempotency-key": job.key });
  job.id = task.id;
  writeFileSync(file, JSON.stringify(job));
}
let task;
for (;;) {
  task = await call("GET", `/api/v1/generations/${job.id}`);
  if (task.status === "failed") stop(`the job failed: ${task.error?.message}`);
  if (task.status === "succeeded" && task.result?.primary_url) break;
  await pause(1);
}
await download(task.result.primary_url);
