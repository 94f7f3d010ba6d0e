// Makes one video on Rivya. The retries are those of undici, the key of the order stays the same.
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Agent, interceptors, request } from "undici";

const { RIVYA_BASE_URL, RIVYA_API_KEY, STATE_DIR } = process.env;
const LIMIT_MS = 5000;
const started = Date.now();

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

const agent = new Agent({ headersTimeout: 1500, bodyTimeout: 1500 });
const retrying = agent.compose(
  interceptors.retry({
    methods: ["GET", "POST"],
    statusCodes: [429, 500, 502, 503, 504],
    throwOnError: false,
    // The retries of undici come early if Retry-After is long; these do not.
    retry(error, { state }, done) {
      const told = toldSeconds(error.headers?.["retry-after"]);
      const isFinal = error.statusCode < 500 && error.statusCode !== 429;
      if (isFinal || state.counter > 4 || !(told <= 4)) return done(error);
      setTimeout(done, Math.max(told * 1000, 100 * 2 ** state.counter * (1 + Math.random())), null);
    },
  }),
);

class Refused extends Error {}

function kept(name, make) {
  const path = `${STATE_DIR}/${name}`;
  if (!existsSync(path)) writeFileSync(path, make());
  return readFileSync(path, "utf8");
}

async function api(method, path, body, headers = {}) {
  const { statusCode, body: answer } = await request(RIVYA_BASE_URL + path, {
    dispatcher: retrying,
    method,
    headers: { authorization: `Bearer ${RIVYA_API_KEY}`, "content-type": "application/json", ...headers },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(LIMIT_MS - (Date.now() - started)),
  });
  const text = await answer.text();
  if (statusCode >= 500) throw new Error(`${method} ${path}: ${statusCode} ${text}`);
  if (statusCode >= 400) throw new Refused(`${method} ${path}: ${statusCode} ${text}`);
  return JSON.parse(text);
}

async function main() {
  const key = kept("key", randomUUID);
  const idPath = `${STATE_DIR}/id`;
  if (!existsSync(idPath)) {
    const order = { model: "hailuo-standard", prompt: "A kite over dunes", client_request_id: key };
    const { id } = await api("POST", "/api/v1/generations", order, { "idempotency-key": key });
    writeFileSync(idPath, id);
  }
  const id = readFileSync(idPath, "utf8");
  let misses = 0;
  while (Date.now() - started < LIMIT_MS) {
    const task = await api("GET", `/api/v1/generations/${id}`).catch((error) => {
      if (error instanceof Refused || ++misses === 4) throw error;
      return {};
    });
    if (task.status === "failed") throw new Error(`failed: ${JSON.stringify(task.error)}`);
    if (task.status === "succeeded" && task.result?.urls?.[0]) return task.result.urls[0];
    await sleep(250 + 100 * Math.random());
  }
  throw new Error("not finished in time; start again to go on waiting");
}

async function download(url, attempts = 3) {
  try {
    const { statusCode, headers, body } = await request(url, { dispatcher: agent });
    const bytes = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    if (bytes.length !== Number(headers["content-length"])) throw new Error("too short");
    writeFileSync(`${STATE_DIR}/video.mp4`, bytes);
  } catch (error) {
    if (attempts === 1) throw error;
    await sleep(300);
    await download(url, attempts - 1);
  }
}

try {
  await download(await main());
} catch (error) {
  console.error(String(error));
  process.exitCode = 1;
} finally {
  await agent.close();
}
