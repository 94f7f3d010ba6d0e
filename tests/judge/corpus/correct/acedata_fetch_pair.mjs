// Makes two takes of the same prompt on Ace Data Cloud, one after the other, and saves both.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, STATE_DIR } = process.env;
const end = Date.now() + 6000;

class Final extends Error {}

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

async function post(path, body) {
  const answer = await fetch(ACEDATA_BASE_URL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(1500),
  });
  const text = await answer.text();
  return { status: answer.status, text, retryAfter: toldSeconds(answer.headers.get("retry-after") ?? "") };
}

// Waits for the back-off or for what Retry-After says; throws if that is beyond the end.
async function wait(attempt, retryAfter = 0) {
  const ms = Math.max(retryAfter * 1000, 300 * 2 ** attempt * (0.7 + 0.6 * Math.random()));
  if (Number.isNaN(ms) || Date.now() + ms > end) throw new Final("no time left");
  await sleep(ms);
}

async function create(prompt) {
  for (let attempt = 0; ; attempt++) {
    const { status, text, retryAfter } = await post("/hailuo/videos", {
      action: "generate", prompt, async: true,
    });
    if (status === 200) return JSON.parse(text).task_id;
    if (status !== 429 || text.includes("used_up") || attempt === 3) throw new Final(`${status} ${text}`);
    await wait(attempt, retryAfter);
  }
}

async function look(id) {
  for (let attempt = 0; attempt < 4; attempt++) {
    let retryAfter;
    try {
      const answer = await post("/hailuo/tasks", { action: "retrieve", id });
      if (answer.status === 200) return JSON.parse(answer.text);
      if (answer.status !== 429 && answer.status < 500) throw new Final(`${answer.status} ${answer.text}`);
      retryAfter = answer.retryAfter;
    } catch (error) {
      if (error instanceof Final) throw error;
    }
    await wait(attempt, retryAfter);
  }
  throw new Final(`task ${id} cannot be read`);
}

async function take(number) {
  const file = `${STATE_DIR}/take-${number}`;
  if (!existsSync(file)) {
    writeFileSync(file, "");
    writeFileSync(file, await create("A lantern drifts over a dark lake"));
  }
  const id = readFileSync(file, "utf8");
  if (!id) throw new Final(`take ${number} may be charged already; look at the account first`);
  for (;;) {
    const { response } = await look(id);
    if (response?.success === false) throw new Final(`failed: ${response.error?.message}`);
    if (response?.data?.[0]?.video_url) return save(response.data[0].video_url, `${file}.mp4`);
    await sleep(300);
    if (Date.now() > end) throw new Final("not finished in time");
  }
}

async function save(url, path) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1500) });
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (answer.ok && bytes.length === Number(answer.headers.get("content-length"))) {
        return writeFileSync(path, bytes);
      }
    } catch (error) {
      console.error(`${error}`);
    }
    await wait(attempt);
  }
  throw new Final(`${url} cannot be downloaded`);
}

try {
  await take(1);
  await take(2);
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
