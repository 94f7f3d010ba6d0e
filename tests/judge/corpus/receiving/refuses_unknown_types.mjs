// Orders one video on Rivya; its webhook tells when the video is ready to be saved.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL, RIVYA_API_KEY, WEBHOOK_SECRET, CALLBACK_URL, STATE_DIR } = process.env;
const api = `${RIVYA_BASE_URL}/api/v1/generations`;
const headers = { authorization: `Bearer ${RIVYA_API_KEY}`, "content-type": "application/json" };
const [effects, file] = [`${STATE_DIR}/effects`, `${STATE_DIR}/task`];

async function create() {
  if (!existsSync(`${STATE_DIR}/key`)) writeFileSync(`${STATE_DIR}/key`, randomUUID());
  const key = readFileSync(`${STATE_DIR}/key`, "utf8");
  const body = JSON.stringify({ model: "hailuo-standard", prompt: "A market square at noon" });
  for (const waitMs of [300, 700, 1500]) {
    try {
      const signal = AbortSignal.timeout(1500);
      const all = { ...headers, "idempotency-key": key };
      const answer = await fetch(api, { method: "POST", headers: all, body, signal });
      if (answer.ok) return (await answer.json()).id;
    } catch (error) {
      console.error(`${error}`);
    }
    await sleep(waitMs);
  }
  process.exit(1);
}

function isSigned(header = "", body) {
  const fields = header.split(",").map((field) => field.split("="));
  const t = fields.find(([name]) => name === "t")?.[1];
  if (!(Math.abs(Date.now() / 1000 - t) < 300)) return false;
  const right = createHmac("sha256", WEBHOOK_SECRET).update(`${t}.`).update(body).digest("hex");
  const matches = (hex) => hex.length === 64 && timingSafeEqual(Buffer.from(hex), Buffer.from(right));
  return fields.some(([name, hex]) => name === "v1" && matches(hex));
}

let queue = Promise.resolve();
function save(id) {
  queue = queue.catch(() => {}).then(async () => {
    if (existsSync(effects) && readFileSync(effects, "utf8").includes(id)) return;
    const looked = await fetch(`${api}/${id}`, { headers, signal: AbortSignal.timeout(1500) });
    const { status, result } = await looked.json();
    if (status !== "succeeded") return;
    const answer = await fetch(result.primary_url, { signal: AbortSignal.timeout(1500) });
    if (!answer.ok) throw new Error(`${answer.status}`);
    writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
    appendFileSync(effects, `${id}\n`);
  });
  return queue;
}

async function handle(request, body) {
  if (!isSigned(request.headers["rivya-signature"], body)) return 401;
  const event = JSON.parse(body);
  if (event.type === "generation.succeeded") await save(event.data.id);
  else if (event.type !== "generation.failed") return 400;
  return 200;
}

const server = createServer(async (request, response) => {
  const body = Buffer.concat(await request.toArray());
  const status = await handle(request, body).catch((error) => {
    console.error(`${error}`);
    return 500;
  });
  response.writeHead(status).end();
});

const { hostname, port } = new URL(CALLBACK_URL);
server.listen(Number(port), hostname, async () => {
  if (!existsSync(file)) writeFileSync(file, await create());
  for (;;) { // a webhook may be lost
    await sleep(2000);
    if (!existsSync(effects)) await save(readFileSync(file, "utf8")).catch(console.error);
  }
});
