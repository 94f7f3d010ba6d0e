// Orders one video on Rivya, with fetch; its webhook tells when the video is ready.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { client } from "./rivya_fetch.mjs";

const { WEBHOOK_SECRET, CALLBACK_URL, STATE_DIR } = process.env;
const effects = `${STATE_DIR}/effects`;
let queue = Promise.resolve();
let notBefore = 0;

export const receiver = {
  failed: false,

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
      if (!client.kept("task", null)) await receiver.create(client.kept("key", randomUUID()));
      await receiver.watch();
    });
  },

  async create(key) {
    client.keep("task", (await client.create(client.order, key)).id);
  },

  // Looks now and then, as a webhook may be lost.
  async watch() {
    for (;;) {
      await sleep(2000);
      if (receiver.needsLook()) await receiver.save(client.kept("task")).catch(console.error);
    }
  },

  needsLook: () => !existsSync(effects) && !receiver.failed,

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
    const { status, result } = await receiver.look(id);
    receiver.failed = status === "failed";
    if (status !== "succeeded") return;
    writeFileSync(`${STATE_DIR}/video.mp4`, await client.download(result.primary_url));
    appendFileSync(effects, `${mark}\n`);
  },

  isDone: (mark) => existsSync(effects) && readFileSync(effects, "utf8").includes(mark),

  // The task, in one attempt: the event will come again, and so will the time of a look.
  async look(id) {
    if (Date.now() < notBefore) throw new Error("too early");
    const answer = await client.request("GET", `${client.api}/${id}`);
    const text = await answer.text();
    if (answer.ok) return JSON.parse(text);
    if (client.isFinal(answer.status, text)) client.stop(`cannot look: ${text}`);
    notBefore = Date.now() + 1000 * client.toldSeconds(answer.headers.get("retry-after") ?? "");
    throw new Error(text);
  },
};
