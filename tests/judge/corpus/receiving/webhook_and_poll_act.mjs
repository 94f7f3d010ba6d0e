// Orders one video on Ace Data Cloud; the callback tells when it is worth a look.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, CALLBACK_URL, STATE_DIR } = process.env;
const [effects, file] = [`${STATE_DIR}/effects`, `${STATE_DIR}/task`];

async function post(path, body) {
  const answer = await fetch(ACEDATA_BASE_URL + path, {
    method: "POST",
    headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(1500),
  });
  if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
  return answer.json();
}

let queue = Promise.resolve();
function save(id, by) {
  queue = queue.catch(() => {}).then(async () => {
    if (existsSync(effects) && readFileSync(effects, "utf8").includes(by)) return;
    const { response } = await post("/hailuo/tasks", { action: "retrieve", id });
    if (!response.success) return;
    const answer = await fetch(response.data[0].video_url, { signal: AbortSignal.timeout(1500) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
    appendFileSync(effects, `${id} ${by}\n`);
  });
  return queue;
}

let id = existsSync(file) ? readFileSync(file, "utf8") : undefined;
const server = createServer(async (request, response) => {
  try {
    const told = JSON.parse(Buffer.concat(await request.toArray()));
    if (told.task_id === id) await save(id, "callback");
    response.writeHead(200).end();
  } catch (error) {
    console.error(`${error}`);
    response.writeHead(500).end();
  }
});

const { hostname, port } = new URL(CALLBACK_URL);
server.listen(Number(port), hostname, async () => {
  if (!id) {
    const order = { action: "generate", prompt: "A market square at noon", callback_url: CALLBACK_URL };
    id = (await post("/hailuo/videos", order)).task_id;
    writeFileSync(file, id);
  }
  while (!existsSync(effects) || !readFileSync(effects, "utf8").includes("poll")) {
    await sleep(500);
    await save(id, "poll").catch(console.error);
  }
});
