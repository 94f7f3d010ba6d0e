// Orders one video on Ace Data Cloud, with fetch; the callback tells when it is worth a look.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, CALLBACK_URL, STATE_DIR } = process.env;
const [effects, file] = [`${STATE_DIR}/effects`, `${STATE_DIR}/task`];
let queue = Promise.resolve();

export const receiver = {
  id: existsSync(file) ? readFileSync(file, "utf8") : undefined,

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
      receiver.id ??= await receiver.create();
      writeFileSync(file, receiver.id);
      await receiver.watch();
    });
  },

  async create() {
    const order = { action: "generate", prompt: "A market square at noon", callback_url: CALLBACK_URL };
    return (await receiver.post("/hailuo/videos", order)).task_id;
  },

  async post(path, body) {
    const answer = await fetch(ACEDATA_BASE_URL + path, {
      method: "POST",
      headers: { authorization: `Bearer ${ACEDATA_API_TOKEN}`, "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(1500),
    });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    return answer.json();
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
      if (receiver.isDone(mark)) return;
      const look = { action: "retrieve", id: receiver.id };
      const { response } = await receiver.post("/hailuo/tasks", look);
      if (!response.success) return;
      const answer = await fetch(response.data[0].video_url, { signal: AbortSignal.timeout(1500) });
      if (!answer.ok) throw new Error(`${answer.status}`);
      writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
      appendFileSync(effects, `${mark}\n`);
    });
    return queue;
  },

  isDone: (mark) => existsSync(effects) && readFileSync(effects, "utf8").includes(mark),
};
