// Orders one video on Ace Data Cloud, with fetch; the callback tells when it is worth a look.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { toldSeconds } from "./retry_after.mjs";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, CALLBACK_URL, STATE_DIR } = process.env;
const [effects, file] = [`${STATE_DIR}/effects`, `${STATE_DIR}/task`];
let queue = Promise.resolve();
let notBefore = 0;

export const receiver = {
  id: existsSync(file) ? readFileSync(file, "utf8") : undefined,
  failed: false,

  serve() {
    const server = createServer(async (request, response) => {
      try {
        await receiver.receive(JSON.parse(Buffer.concat(await request.toArray())));
        response.writeHead(200).end();
      } catch (error) {
        console.error(`${error}`);
        response.writeHead(500).end();
      }
    });
    const { hostname, port } = new URL(CALLBACK_URL);
    server.listen(Number(port), hostname, async () => {
      if (receiver.id === undefined) {
        writeFileSync(file, "");
        receiver.id = await receiver.create();
        writeFileSync(file, receiver.id);
      }
      if (!receiver.id) receiver.stop("perhaps ordered by an earlier run");
      await receiver.watch();
    });
  },

  // The id of the task. Only 429 says that nothing was made.
  async create() {
    const order = { action: "generate", prompt: "A market square at noon", callback_url: CALLBACK_URL };
    for (const waitMs of [300, 700, 1500]) {
      const { ok, status, text, told } = await receiver.post("/hailuo/videos", order);
      if (ok) return JSON.parse(text).task_id;
      if (status !== 429 || text.includes("used_up") || told > 5) receiver.stop(`refused: ${text}`);
      await sleep(Math.max(waitMs, 1000 * told));
    }
    receiver.stop("too many requests");
  },

  async post(path, body) {
    const answer = await fetch(ACEDATA_BASE_URL + path, {
      method: "POST",
      headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(1500),
    });
    const { ok, status, headers } = answer;
    return { ok, status, text: await answer.text(), told: toldSeconds(headers.get("retry-after") ?? "") };
  },

  // Looks now and then, as a callback may be lost.
  async watch() {
    for (;;) {
      await sleep(2000);
      if (!existsSync(effects)) await receiver.save(receiver.id).catch(console.error);
    }
  },

  async receive(callback) {
    if (callback.task_id === receiver.id) await receiver.save(receiver.id);
  },

  // Saves the video, unless this was done under the same mark.
  save(mark) {
    queue = queue.catch(() => {}).then(async () => {
      if (receiver.failed || receiver.isDone(mark)) return;
      const { success, data } = await receiver.look();
      receiver.failed = success === false;
      if (!success) return;
      const answer = await fetch(data[0].video_url, { signal: AbortSignal.timeout(1500) });
      if (!answer.ok) throw new Error(`${answer.status}`);
      writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
      appendFileSync(effects, `${mark}\n`);
    });
    return queue;
  },

  isDone: (mark) => existsSync(effects) && readFileSync(effects, "utf8").includes(mark),

  // The task, in one attempt: the callback will come again, and so will the time of a look.
  async look() {
    if (Date.now() < notBefore) throw new Error("too early");
    const look = { action: "retrieve", id: receiver.id };
    const { ok, status, text, told } = await receiver.post("/hailuo/tasks", look);
    if (ok) return JSON.parse(text).response;
    if (status !== 429 && status < 500) receiver.stop(`cannot look: ${text}`);
    notBefore = Date.now() + 1000 * told;
    throw new Error(text);
  },

  stop(reason) {
    console.error(reason);
    process.exit(1);
  },
};
