// Makes one video on Ace Data Cloud and saves it, with undici.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { request } from "undici";
import { toldSeconds } from "./retry_after.mjs";

const { ACEDATA_BASE_URL, ACEDATA_API_TOKEN, STATE_DIR } = process.env;
const end = Date.now() + 5000;

export const client = {
  order: { action: "generate", prompt: "Paper boats on a pond", async: true },
  dispatcher: undefined,
  authorization: { authorization: `Bearer ${ACEDATA_API_TOKEN}` },

  // Waits for it, and ends the program with an error if there is one.
  run(work) {
    work.catch((error) => {
      console.error(`${error}`);
      process.exit(1);
    });
  },

  // Makes the video of that name. A restart continues the same job, or ends if its id is not known.
  async makeVideo(name = "video", order = client.order) {
    const file = `${STATE_DIR}/${name}`;
    if (!existsSync(file)) {
      writeFileSync(file, "");
      writeFileSync(file, await client.create(order));
    }
    const id = readFileSync(file, "utf8");
    if (!id) throw new Error("perhaps ordered by an earlier run");
    await client.save(await client.waitFor(id), `${file}.mp4`);
  },

  async create(order) {
    for (let attempt = 0; attempt < 4; attempt++) {
      const { status, text, told } = await client.post("/hailuo/videos", order);
      if (status === 200) return JSON.parse(text).task_id;
      if (client.isFinal(status, text)) throw new Error(`refused: ${text}`);
      await client.pause(attempt, told);
    }
    throw new Error("too many requests");
  },

  // Whether it is of no use to order again. Only 429 says that nothing was made.
  isFinal: (status, text) => status !== 429 || text.includes("used_up"),

  // The URL of the video.
  async waitFor(id) {
    for (;;) {
      const task = await client.look(id);
      const { success, error } = task.response;
      if (success === false) throw new Error(`failed: ${error.message}`);
      const url = client.urlOf(task);
      if (url) return url;
      await client.pause(0);
    }
  },

  urlOf: ({ response }) => response.data?.[0].video_url,

  async look(id) {
    for (let attempt = 0; attempt < 4; attempt++) {
      const look = { action: "retrieve", id };
      const answer = await client.post("/hailuo/tasks", look).catch((error) => {
        console.error(`${error}`);
        return { status: 599 };
      });
      if (answer.status === 200) return JSON.parse(answer.text);
      if (answer.status !== 429 && answer.status < 500) throw new Error(answer.text);
      await client.pause(attempt, answer.told);
    }
    throw new Error("cannot look");
  },

  async post(path, body) {
    const answer = await request(ACEDATA_BASE_URL + path, {
      dispatcher: client.dispatcher,
      method: "POST",
      headers: { ...client.authorization, "content-type": "application/json" },
      body: JSON.stringify(body),
      headersTimeout: 1500,
      bodyTimeout: 1500,
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, text, told: toldSeconds(answer.headers["retry-after"] ?? "") };
  },

  async pause(attempt, toldS = 0) {
    const waitMs = Math.max(client.backoffMs(attempt), toldS * 1000);
    if (Date.now() + waitMs >= end) throw new Error("not ready in time");
    await sleep(waitMs);
  },

  backoffMs: (attempt) => 200 * 2 ** attempt * (1 + Math.random()),

  async save(url, file) {
    for (let attempt = 0; attempt < 3; attempt++) {
      try {
        return await client.fetch(url, file);
      } catch (error) {
        console.error(`${error}`);
      }
      await sleep(200 * 2 ** attempt);
    }
    throw new Error("no video");
  },

  async fetch(url, file, headers = {}) {
    const { statusCode, body } = await request(url, { headers, headersTimeout: 1500 });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (!client.isVideo(statusCode)) throw new Error(`status ${statusCode}`);
    writeFileSync(file, bytes);
  },

  isVideo: (status) => status === 200,
};
