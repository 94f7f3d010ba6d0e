/** The fake, as a suite in any language has it: over HTTP, a world for each test. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { after } from "node:test";

const server = process.env.HAILUO_MOCK_URL ?? (await start());

/** Without a server at HAILUO_MOCK_URL: one for this file, on a free port. */
async function start() {
  const child = spawn("hailuo-mock", ["serve", "--port", "0"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  after(() => child.kill());
  for await (const line of createInterface({ input: child.stdout })) return JSON.parse(line).url;
  throw new Error("hailuo-mock did not start");
}

/** A world on a clock that stands still, unless the plan says otherwise; gone after the test. */
export async function makeWorld(test, plan = {}) {
  const facts = await ask("POST", "/_mock/worlds", { clock: { mode: "frozen" }, ...plan });
  const path = `/_mock/worlds/${facts.name}`;
  test.after(() => ask("DELETE", path));
  const keyOf = (api) => facts.keys.find((key) => key.api === api).key;
  const advance = (how) => ask("POST", `${path}/clock/advance`, how);
  return {
    url: facts.base_url,
    rivyaKey: keyOf("rivya"),
    acedataToken: keyOf("acedata"),
    /** For clients that pause: seconds pass here, and nobody waits for them. */
    sleep: (seconds) => advance({ seconds }),
    untilIdle: () => advance({ until: "idle" }),
    now: async () => Date.parse((await ask("GET", `${path}/clock`)).now) / 1000,
    fault: (rule) => ask("POST", `${path}/faults`, rule),
    ledger: async (account) => (await ask("GET", `${path}/accounts/${account}`)).ledger,
    changeAccount: (account, change) => ask("PATCH", `${path}/accounts/${account}`, change),
    tasks: async () => (await ask("GET", `${path}/tasks`)).tasks,
    finish: (task, state) => ask("POST", `${path}/tasks/${task}/finish`, { state }),
    /** The requests of one kind of operation, the oldest first. */
    requests: async (operation) =>
      (await ask("GET", `${path}/requests?operation=${operation}`)).requests,
  };
}

/** A receiver on a free port; the listener can be given later. Its URL. */
export async function receive(test, listener) {
  const receiver = createServer(listener);
  await new Promise((listening) => receiver.listen(0, "127.0.0.1", listening));
  test.after(() => {
    receiver.closeAllConnections();
    receiver.close();
  });
  return `http://127.0.0.1:${receiver.address().port}/hook`;
}

/** The URL of a server that is gone. */
export async function whereNobodyIs() {
  const gone = createServer();
  await new Promise((listening) => gone.listen(0, "127.0.0.1", listening));
  const { port } = gone.address();
  await new Promise((closed) => gone.close(closed));
  return `http://127.0.0.1:${port}`;
}

/** A path in a folder that is gone after the test. */
export async function fileFor(test, name) {
  const folder = await mkdtemp(join(tmpdir(), "hailuo-"));
  test.after(() => rm(folder, { recursive: true }));
  return join(folder, name);
}

async function ask(method, path, body) {
  const token = process.env.HAILUO_MOCK_CONTROL_TOKEN;
  const response = await fetch(server + path, {
    method,
    headers: {
      "Content-Type": "application/json",
      ...(token && { "Mock-Control-Token": token }),
    },
    body: body && JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${text}`);
  return text && JSON.parse(text);
}
