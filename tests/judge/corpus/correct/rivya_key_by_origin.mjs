// Makes one video on Rivya. One function sends every request, and sends the key only to the API's
// own origin. Two watchers look at the task, one for the progress line and one for the result.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL, RIVYA_API_KEY, STATE_DIR } = process.env;
const giveUp = AbortSignal.timeout(5000);

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

let notBefore = 0; // Retry-After holds for both watchers

async function get(url, init = {}) {
  const headers = { ...init.headers };
  if (new URL(url).origin === new URL(RIVYA_BASE_URL).origin) {
    headers.authorization = `Bearer ${RIVYA_API_KEY}`;
  }
  for (let attempt = 0; attempt < 5; attempt++) {
    let told = null;
    await sleep(Math.max(0, notBefore - Date.now()), null, { signal: giveUp });
    try {
      const signal = AbortSignal.any([giveUp, AbortSignal.timeout(1500)]);
      const answer = await fetch(url, { ...init, headers, signal });
      const bytes = Buffer.from(await answer.arrayBuffer());
      const isJson = !url.endsWith(".mp4") && !url.includes("/media/");
      if (answer.ok) return isJson ? JSON.parse(bytes) : bytes;
      const isFinal = answer.status !== 429 && answer.status < 500;
      if (isFinal || bytes.includes("insufficient_credits")) {
        throw new Error(`${answer.status} ${bytes}`, { cause: "final" });
      }
      told = answer.headers.get("retry-after");
    } catch (error) {
      if (error.cause === "final" || giveUp.aborted) throw error;
    }
    const toldMs = 1000 * toldSeconds(told ?? "");
    if (!(toldMs <= 4000)) {
      console.error(`told to wait: ${told}`);
      process.exit(1);
    }
    notBefore = Math.max(notBefore, Date.now() + toldMs);
    await sleep(200 * 2 ** attempt + Math.random() * 100, null, { signal: giveUp });
  }
  throw new Error(`${url}: five attempts failed`);
}

function remembered(name, make) {
  const file = `${STATE_DIR}/${name}`;
  if (!existsSync(file)) writeFileSync(file, make());
  return readFileSync(file, "utf8");
}

async function create() {
  const { id } = await get(`${RIVYA_BASE_URL}/api/v1/generations`, {
    method: "POST",
    headers: { "content-type": "application/json", "idempotency-key": remembered("key", randomUUID) },
    body: JSON.stringify({ model: "hailuo-standard", prompt: "Dust dances in a sunbeam" }),
  });
  return id;
}

async function watch(id, everyMs, seen) {
  for (;;) {
    const task = await get(`${RIVYA_BASE_URL}/api/v1/generations/${id}`);
    seen(task.status);
    if (task.status === "failed") throw new Error(`failed: ${task.error?.message}`);
    if (task.status === "succeeded" && task.result?.primary_url) return task.result.primary_url;
    await sleep(everyMs, null, { signal: giveUp });
  }
}

try {
  const idFile = `${STATE_DIR}/id`;
  if (!existsSync(idFile)) writeFileSync(idFile, await create());
  const id = readFileSync(idFile, "utf8");
  const [url] = await Promise.all([
    watch(id, 450, () => {}),
    sleep(200).then(() => watch(id, 500, (status) => process.stderr.write(`\r${status}`))),
  ]);
  writeFileSync(`${STATE_DIR}/video.mp4`, await get(url));
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
