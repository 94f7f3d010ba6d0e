// Makes one video on Ace Data Cloud and saves it, with undici.
import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, STATE_DIR } = process.env;
const end = Date.now() + 5000;

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value) {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

async function post(path, body) {
  const answer = await request(ACEDATA_BASE_URL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    headersTimeout: 1500,
    bodyTimeout: 1500,
  });
  const text = await answer.body.text();
  return { status: answer.statusCode, text, told: toldSeconds(answer.headers["retry-after"] ?? "") };
}

async function pause(attempt, toldS = 0) {
  const waitMs = Math.max(200 * 2 ** attempt * (1 + Math.random()), toldS * 1000);
  if (!(Date.now() + waitMs < end)) throw new Error("not ready in time");
  await sleep(waitMs);
}

async function create(prompt) {
  for (let attempt = 0; attempt < 4; attempt++) {
    const { status, text, told } = await post("/hailuo/videos", {
      action: "generate",
      prompt,
      async: true,
    });
    if (status === 200) return JSON.parse(text).task_id;
    if (status !== 429 || text.includes("used_up")) throw new Error(`refused: ${text}`);
    await pause(attempt, told);
  }
  throw new Error("too many requests");
}

async function look(id) {
  for (let attempt = 0; attempt < 4; attempt++) {
    const answer = await post("/hailuo/tasks", { action: "retrieve", id }).catch((error) => {
      console.error(`${error}`);
      return { status: 599 };
    });
    if (answer.status === 200) return JSON.parse(answer.text).response;
    if (answer.status !== 429 && answer.status < 500) throw new Error(answer.text);
    await pause(attempt, answer.told);
  }
  throw new Error("cannot look");
}

async function save(url) {
  for (let attempt = 0; attempt < 3; attempt++) {
    try {
      const { statusCode, body } = await request(url, { headersTimeout: 1500 });
      const bytes = Buffer.from(await body.arrayBuffer());
      if (statusCode === 200) return writeFileSync(`${STATE_DIR}/video.mp4`, bytes);
    } catch (error) {
      console.error(`${error}`);
    }
    await sleep(200 * 2 ** attempt);
  }
  throw new Error("no video");
}

async function main() {
  if (existsSync(`${STATE_DIR}/video.mp4`)) return;
  const id = await create("Paper boats on a pond");
  for (;;) {
    const response = await look(id);
    if (response.success === false) throw new Error(`failed: ${response.error.message}`);
    if (response.data?.[0].video_url) return save(response.data[0].video_url);
    await pause(0);
  }
}

main().catch((error) => {
  console.error(`${error}`);
  process.exit(1);
});
