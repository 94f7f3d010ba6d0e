import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

import { Door, attach, start, startOrAttach } from "hailuo-mock";

const STARTER = fileURLToPath(new URL("starter.js", import.meta.url));
const REFUSED = { name: "ControlError", message: /^no hailuo-mock answers at .*ECONNREFUSED/ };

/** Set a variable of the environment until the test ends. */
function setVariable(t, name, value) {
  const before = process.env[name];
  process.env[name] = value;
  t.after(() => {
    if (before === undefined) delete process.env[name];
    else process.env[name] = before;
  });
}

/** A program that has started a server; and a request that the server holds open. */
async function starter(...args) {
  const child = spawn(process.execPath, [STARTER, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(child.stdout.setEncoding("utf8"), "data");
  const url = line.trim();
  const held = fetch(`${url}/_mock/worlds/default/wait?operation=upload&timeout_s=60`);
  return { child, url, held: held.then((answer) => answer.status, () => undefined) };
}

test("a server has its settings, and stops", async () => {
  const settings = { seed: 7, "tasks.queued_s": 3, callback_hosts: ["loopback", "hook.test"] };
  const server = await start({ settings });
  assert.equal((await server.version()).seed, 7);
  await server.stop();
  await server.stop();
  await assert.rejects(server.version(), REFUSED);
});

test("a server with a control token is reached with it", async (t) => {
  const server = await start({ settings: { control_token: "sesame" } });
  t.after(() => server.stop());
  assert.equal((await server.worlds()).length, 1);
  await assert.rejects((await attach(server.url)).worlds(), { name: "ControlError", status: 401 });
  assert.equal((await (await attach(server.url, { token: "sesame" })).worlds()).length, 1);
  setVariable(t, "HAILUO_MOCK_CONTROL_TOKEN", "sesame");
  setVariable(t, "HAILUO_MOCK_URL", `${server.url}/`);
  const attached = await startOrAttach();
  assert.equal((await attached.worlds()).length, 1);
  await attached.stop();
  assert.equal((await server.worlds()).length, 1);
});

test("one of several processes lists its own worlds", async (t) => {
  const server = await start({ settings: { shard: "1/2" } });
  t.after(() => server.stop());
  const world = await server.world({ name: "mine" });
  assert.deepEqual((await server.worlds()).map((each) => each.name), ["w1-mine"]);
  assert.equal(world.name, "w1-mine");
});

test("the program to start may have arguments", async (t) => {
  setVariable(t, "HAILUO_MOCK_COMMAND", " python -m  mock_server ");
  const server = await start();
  await server.version();
  await server.stop();
});

test("a program that is not there is named, with what to do", async (t) => {
  setVariable(t, "HAILUO_MOCK_COMMAND", "no-such-program --flag");
  await assert.rejects(start(), {
    name: "ControlError",
    message: /no program 'no-such-program' on the path.*pipx install.*uvx.*HAILUO_MOCK_URL/s,
  });
});

test("a server that does not start says why", async () => {
  await assert.rejects(start({ settings: { "tasks.queud_s": 0 } }), {
    name: "ControlError",
    message: /it ended with exit code 2\n.*HAILUO_MOCK_TASKS_QUEUD_S: no such setting.*QUEUED_S/s,
  });
});

test("a start that is aborted leaves no server", async () => {
  const left = new AbortController();
  const starting = start({ command: [process.execPath, STARTER, "never"], signal: left.signal });
  left.abort(new Error("not any more"));
  await assert.rejects(starting, /^Error: not any more$/);
  await assert.rejects(start({ signal: left.signal }), /^Error: not any more$/);
});

test("a URL without a hailuo-mock is told", async (t) => {
  const other = createServer((_, response) => response.writeHead(404).end("nothing here"));
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const url = `http://127.0.0.1:${other.address().port}`;
  await assert.rejects(attach(url), {
    status: 404,
    message: "GET /_mock/version was answered 404, and not by a hailuo-mock",
  });
  other.close();
  await once(other, "close");
  await assert.rejects(attach(url), REFUSED);
  setVariable(t, "HAILUO_MOCK_URL", "");
  await assert.rejects(attach(), { name: "TypeError", message: /HAILUO_MOCK_URL/ });
});

test("a server that does not answer in time is told", async (t) => {
  const silent = createServer(() => {});
  silent.listen(0, "127.0.0.1");
  await once(silent, "listening");
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const door = new Door(`http://127.0.0.1:${silent.address().port}`);
  await assert.rejects(door.call("get", "/_mock/version", { timeoutS: 0.05 }), {
    name: "ControlError",
    message: `GET /_mock/version: ${door.url} did not answer within 0.05 s`,
  });
  await assert.rejects(attach(door.url, { signal: AbortSignal.timeout(50) }), {
    name: "TimeoutError",
  });
});

test("a program that has started a server ends when it has nothing to do", async () => {
  const { child, url, held } = await starter();
  assert.deepEqual(await once(child, "exit"), [0, null]);
  await held;
  await assert.rejects(attach(url), REFUSED);
});

test("a server ends with a program that is killed", async () => {
  const { child, url, held } = await starter("wait");
  await attach(url);
  child.kill("SIGKILL");
  assert.deepEqual(await once(child, "exit"), [null, "SIGKILL"]);
  await held;
  await assert.rejects(attach(url), REFUSED);
});
