// Orders one video on Ace Data Cloud with a callback. The callback has no signature, so it is only
// a reason to look at the task. If it does not come, the task is looked at all the same.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, CALLBACK_URL, STATE_DIR } = process.env;
const effects = `${STATE_DIR}/effects`;
const order = `${STATE_DIR}/order`;

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

async function post(path, body) {
  const { statusCode, headers, body: answer } = await request(ACEDATA_BASE_URL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    headersTimeout: 1500,
    bodyTimeout: 1500,
  });
  return { status: statusCode, told: toldSeconds(headers["retry-after"]), text: await answer.text() };
}

// Waits as long as a 429 told; ends if that is too long.
async function pause(told, attempt) {
  if (!(told <= 5)) stop(`told to come back after ${told}`);
  await sleep(Math.max(told * 1000, 250 * 2 ** attempt + 100 * Math.random()));
}

function stop(reason) {
  console.error(`${reason}`);
  process.exit(1);
}

async function create() {
  const body = { action: "generate", prompt: "A market square at noon", callback_url: CALLBACK_URL };
  for (let attempt = 0; attempt < 4; attempt++) {
    const answer = await post("/hailuo/videos", body);
    if (answer.status === 200) return JSON.parse(answer.text).task_id;
    if (answer.status !== 429 || answer.text.includes("used_up")) throw new Error(answer.text);
    await pause(answer.told, attempt);
  }
  throw new Error("too many requests");
}

async function look(id) {
  for (let attempt = 0; attempt < 4; attempt++) {
    const answer = await post("/hailuo/tasks", { action: "retrieve", id }).catch(String);
    try {
      if (answer.status === 200) return JSON.parse(answer.text);
    } catch { /* not JSON: look again */ }
    if (answer.status < 500 && answer.status >= 400 && answer.status !== 429) break;
    await pause(answer.told ?? 0, attempt);
  }
  throw new Error(`task ${id} cannot be read`);
}

let working = Promise.resolve();
function handle(id) {
  working = working.catch(() => {}).then(async () => {
    if (existsSync(effects) && readFileSync(effects, "utf8").includes(id)) return;
    const { response } = await look(id);
    if (response?.success === false) stop(`the job failed: ${response.error?.message}`);
    const url = response?.success && response.data?.[0]?.video_url;
    if (!url) return;
    const video = await request(url, { headersTimeout: 1500 });
    if (video.statusCode !== 200) throw new Error(`download: ${video.statusCode}`);
    writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await video.body.arrayBuffer()));
    appendFileSync(effects, `${id}\n`);
  });
  return working;
}

let ours;
const server = createServer(async (incoming, outgoing) => {
  let text = "";
  for await (const chunk of incoming) text += chunk;
  try {
    if (JSON.parse(text).task_id === ours) await handle(ours);
    outgoing.writeHead(200).end();
  } catch (error) {
    console.error(`${error}`);
    outgoing.writeHead(error instanceof SyntaxError ? 400 : 500).end();
  }
});

const { hostname, port } = new URL(CALLBACK_URL);
server.listen(Number(port), hostname, async () => {
  try {
    if (!existsSync(order)) {
      writeFileSync(order, "");
      writeFileSync(order, await create());
    }
    ours = readFileSync(order, "utf8");
    if (!ours) throw new Error("an earlier order may be charged; look at the account");
    for (let look = 0; look < 4 && !existsSync(effects); look++) {
      await sleep(1500);
      if (!existsSync(effects)) await handle(ours).catch((error) => console.error(`${error}`));
    }
    await sleep(2000);
    process.exit(existsSync(effects) ? 0 : 1);
  } catch (error) {
    stop(error);
  }
});
