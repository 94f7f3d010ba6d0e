// A server that orders one video on Rivya at its start and saves it when the webhook comes.
// It runs until it is stopped.
import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL, RIVYA_API_KEY, WEBHOOK_SECRET, CALLBACK_URL, STATE_DIR } = process.env;
const effects = `${STATE_DIR}/effects`;

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

let notBefore = 0; // when Rivya may be asked again

async function rivya(method, path, body, headers = {}) {
  for (let attempt = 0; attempt < 5 && Date.now() >= notBefore; attempt++) {
    let told = 0;
    try {
      const answer = await fetch(RIVYA_BASE_URL + path, {
        method,
        headers: { authorization: `Bearer ${RIVYA_API_KEY}`, "content-type": "application/json", ...headers },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(1500),
      });
      const text = await answer.text();
      if (answer.ok) return JSON.parse(text);
      if (answer.status !== 429 && answer.status < 500) return undefined;
      if (text.includes("insufficient_credits")) return undefined;
      told = toldSeconds(answer.headers.get("retry-after") ?? "");
      if (!(told <= 5)) notBefore = Date.now() + (told || 3600) * 1000;
    } catch (error) {
      console.error(`${method} ${path}: ${error}`);
    }
    if (Date.now() >= notBefore) await sleep(Math.max(told * 1000, 200 * 2 ** attempt * (0.75 + Math.random() / 2)));
  }
}

function genuine(header = "", body) {
  const fields = header.split(",").map((field) => field.split("="));
  const t = fields.find(([name]) => name === "t")?.[1];
  const right = createHmac("sha256", WEBHOOK_SECRET).update(`${t}.`).update(body).digest();
  const recent = Math.abs(Date.now() / 1000 - Number(t)) <= 300;
  return recent && fields.some(([name, hex]) => {
    const given = Buffer.from(hex ?? "", "hex");
    return name === "v1" && given.length === right.length && timingSafeEqual(given, right);
  });
}

// Calls for the same task wait for each other: the second finds what the first has done.
let last = Promise.resolve();
function saveOnce(id) {
  if (job.failed) return;
  last = last.catch(() => {}).then(() => save(id));
  return last;
}

async function save(id) {
  if (existsSync(effects) && readFileSync(effects, "utf8").includes(id)) return;
  const task = await rivya("GET", `/api/v1/generations/${id}`);
  if (task?.status === "failed") job.failed = task.error?.message ?? "no reason given";
  if (task?.status !== "succeeded" || !task.result?.primary_url) return;
  const answer = await fetch(task.result.primary_url, { signal: AbortSignal.timeout(1500) });
  if (!answer.ok) throw new Error(`download: ${answer.status}`);
  writeFileSync(`${STATE_DIR}/video.mp4`, Buffer.from(await answer.arrayBuffer()));
  appendFileSync(effects, `${id}\n`);
}

const server = createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  if (!genuine(request.headers["rivya-signature"], body)) return response.writeHead(400).end();
  const event = JSON.parse(body);
  try {
    if (event.type === "generation.succeeded" && event.data.id === job.id) await saveOnce(job.id);
    response.writeHead(204).end();
  } catch (error) {
    console.error(`${error}`);
    response.writeHead(503).end();
  }
});

const file = `${STATE_DIR}/job.json`;
const job = existsSync(file) ? JSON.parse(readFileSync(file)) : { key: randomUUID() };
const { hostname, port } = new URL(CALLBACK_URL);
server.listen(Number(port), hostname, async () => {
  writeFileSync(file, JSON.stringify(job));
  const order = { model: "hailuo-standard", prompt: "A market square at noon" };
  const path = "/api/v1/generations";
  job.id ??= (await rivya("POST", path, order, { "idempotency-key": job.key }))?.id;
  writeFileSync(file, JSON.stringify(job));
  if (!job.id) process.exit(1);
  // A webhook can be lost: look at the task every now and then, for a minute.
  for (let look = 0; look < 30 && !job.failed && !existsSync(effects); look++) {
    await sleep(2000);
    await saveOnce(job.id).catch((error) => console.error(`${error}`));
  }
});
