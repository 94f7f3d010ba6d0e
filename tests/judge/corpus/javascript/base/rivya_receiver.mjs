// Orders one video on Rivya, with fetch; its webhook tells when the video is ready.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL, RIVYA_API_KEY, WEBHOOK_SECRET, CALLBACK_URL, STATE_DIR } = process.env;
const api = `${RIVYA_BASE_URL}/api/v1/generations`;
const headers = { authorization: `Bearer ${RIVYA_API_KEY}`, "content-type": "application/json" };
const [effects, file, keyFile] = ["effects", "task", "key"].map((name) => `${STATE_DIR}/${name}`);
let queue = Promise.resolve();

export const receiver = {
  serve() {
    const server = createServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      const status = await receiver.receive(request.headers, body).catch((error) => {
        console.error(`${error}`);
        return 500;
      });
      response.writeHead(status).end();
    });
    const { hostname, port } = new URL(CALLBACK_URL);
    server.listen(Number(port), hostname, async () => {
      if (!existsSync(file)) await receiver.create();
      await receiver.watch();
    });
  },

  async create() {
    if (!existsSync(keyFile)) writeFileSync(keyFile, randomUUID());
    const keyed = { ...headers, "idempotency-key": readFileSync(keyFile, "utf8") };
    const body = JSON.stringify({ model: "hailuo-standard", prompt: "A market square at noon" });
    for (const waitMs of [300, 700, 1500]) {
      try {
        const signal = AbortSignal.timeout(1500);
        const answer = await fetch(api, { method: "POST", headers: keyed, body, signal });
        if (answer.ok) return writeFileSync(file, (await answer.json()).id);
      } catch (error) {
        console.error(`${error}`);
      }
      await sleep(waitMs);
    }
    process.exit(1);
  },

  async createAgain() {
    rmSync(keyFile);
    await receiver.create();
  },

  // Looks now and then, as a webhook may be lost.
  async watch() {
    for (;;) {
      await sleep(2000);
      if (receiver.needsLook()) await receiver.save(readFileSync(file, "utf8")).catch(console.error);
    }
  },

  needsLook: () => !existsSync(effects),

  // The status of the answer to a webhook.
  async receive(headers, body) {
    if (!receiver.isSigned(headers["rivya-signature"], body)) return 401;
    return receiver.act(JSON.parse(body), headers);
  },

  isSigned(header = "", body) {
    const fields = header.split(",").map((field) => field.split("="));
    const t = fields.find(([name]) => name === "t")?.[1];
    const right = createHmac("sha256", WEBHOOK_SECRET).update(`${t}.`).update(body).digest("hex");
    return receiver.isRecent(Number(t)) && receiver.hasSignature(fields, right);
  },

  isRecent: (signedAt) => Math.abs(Date.now() / 1000 - signedAt) < 300,

  hasSignature(fields, right) {
    const matches = (hex) => hex.length === 64 && timingSafeEqual(Buffer.from(hex), Buffer.from(right));
    return fields.some(([name, hex]) => name === "v1" && matches(hex));
  },

  // The status of the answer to a genuine event.
  async act(event, headers) {
    if (event.type === "generation.succeeded") {
      await receiver.save(event.data.id, receiver.markOf(event, headers));
    }
    return 200;
  },

  // What is the same in all copies of an event.
  markOf: (event) => event.data.id,

  save(id, mark = id) {
    queue = queue.catch(() => {}).then(() => receiver.saveNow(id, mark));
    return queue;
  },

  // Saves the video of a task, unless this was done under the same mark.
  async saveNow(id, mark) {
    if (receiver.isDone(mark)) return;
    const looked = await fetch(`${api}/${id}`, { headers, signal: AbortSignal.timeout(1500) });
    const { status, result } = await looked.json();
    if (status !== "succeeded") return;
    const answer = await fetch(result.primary_url, { signal: AbortSignal.timeout(1500) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
    appendFileSync(effects, `${mark}\n`);
  },

  isDone: (mark) => existsSync(effects) && readFileSync(effects, "utf8").includes(mark),
};
