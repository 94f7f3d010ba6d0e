import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Unavailable } from "../patience.mjs";
import { GenerationFailed, Rivya, StillRunning } from "../rivya.mjs";
import { fileFor, makeWorld } from "./fake.mjs";

const ACCOUNT = "rivya-test";
const PRICE = 57;
const order = { prompt: "Slow dolly towards a lighthouse at dusk" };

async function made(t, plan) {
  const world = await makeWorld(t, plan);
  const client = new Rivya({ key: world.rivyaKey, baseUrl: world.url, sleep: world.sleep });
  return { world, client };
}

async function charged(world) {
  const { granted, available } = await world.ledger(ACCOUNT);
  return granted - available;
}

test("a video is ordered, waited for and saved", async (t) => {
  const { world, client } = await made(t);
  const ordered = await client.create(order);
  assert.equal(ordered.status, "queued");
  const file = await fileFor(t, "video.mp4");
  await client.download(await client.wait(ordered.id), file);
  assert.equal((await readFile(file)).toString("latin1", 4, 8), "ftyp");
  assert.equal((await world.ledger(ACCOUNT)).spent, PRICE);
});

test("a failed generation is told and paid back", async (t) => {
  const { world, client } = await made(t);
  const { id } = await client.create(order);
  await world.finish(id, "failed");
  await assert.rejects(client.wait(id), GenerationFailed);
  assert.equal(await client.credits(), 1_000_000);
});

test("it does not look for ever", async (t) => {
  const { world, client } = await made(t);
  await world.fault({ scenario: "stuck" });
  const { id } = await client.create(order);
  await assert.rejects(client.wait(id, { maxWaitS: 60 }), StillRunning);
  assert.equal((await world.requests("read")).length, 9);
});

test("who can pay for one video gets one", async (t) => {
  const { world, client } = await made(t, { credits: PRICE });
  await client.create(order);
  await assert.rejects(client.create(order), { code: "insufficient_credits", status: 402 });
  assert.equal((await world.requests("create")).length, 2);
});

test("a refusal can be asked for with the key", async (t) => {
  const world = await makeWorld(t);
  const key = `${world.rivyaKey}+insufficient_credits`;
  const client = new Rivya({ key, baseUrl: world.url });
  await assert.rejects(client.create(order), { code: "insufficient_credits" });
});

test("a refusal can be asked for with a header", async (t) => {
  const world = await makeWorld(t);
  const headers = { "Mock-Scenario": "api_key_revoked" };
  const client = new Rivya({ key: world.rivyaKey, baseUrl: world.url, headers });
  await assert.rejects(client.create(order), { code: "api_key_revoked", status: 401 });
});

test("a name for two different orders is a conflict", async (t) => {
  const { world, client } = await made(t);
  await client.create({ ...order, order: "shot-42" });
  await assert.rejects(client.create({ prompt: "Something else", order: "shot-42" }), {
    code: "idempotency_conflict",
    status: 409,
  });
  assert.equal((await world.requests("create")).length, 2);
  assert.equal(await charged(world), PRICE);
});

test("it comes back when it was told to", async (t) => {
  const { world, client } = await made(t);
  const limited = { key: world.rivyaKey, api: "rivya", rate_limit: 1 };
  await world.changeAccount(ACCOUNT, { keys: [limited] });
  await client.credits();
  const began = await world.now();
  await client.create(order);
  const [refused, taken] = await world.requests("create");
  assert.deepEqual([refused.status, taken.status], [429, 200]);
  assert.equal(Date.parse(taken.at) / 1000 - began, 60);
});

test("it gives up in the end", async (t) => {
  const { world, client } = await made(t);
  await world.fault({ scenario: "rate_limited" });
  await assert.rejects(client.create(order), { code: "rate_limited" });
  assert.equal((await world.requests("create")).length, 5);
});

for (const scenario of [
  "lost_answer",
  "answer_cut",
  "answer_not_json",
  "bad_gateway_after",
  "internal_error_after",
]) {
  test(`an order whose answer is lost is paid once: ${scenario}`, async (t) => {
    const { world, client } = await made(t);
    await world.fault({ scenario, times: 1 });
    const ordered = await client.create(order);
    const [lost, found] = await world.requests("create");
    assert.equal(lost.task, ordered.id);
    assert.equal(found.task, ordered.id);
    assert.equal(await charged(world), PRICE);
  });
}

test("under another name it is paid again", async (t) => {
  const { world, client } = await made(t);
  await world.fault({ scenario: "lost_answer", times: 5 });
  await assert.rejects(client.create(order), Unavailable);
  await client.create(order);
  assert.equal((await world.tasks()).length, 2);
  assert.equal(await charged(world), 2 * PRICE);
});

test("a download that breaks off is begun anew", async (t) => {
  const { world, client } = await made(t);
  const video = await client.wait((await client.create(order)).id);
  await world.fault({ scenario: "result_cut", times: 1 });
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  const whole = await (await fetch(video.result.primary_url)).arrayBuffer();
  assert.deepEqual(await readFile(file), Buffer.from(whole));
  assert.equal((await world.requests("media")).length, 3);
});

test("a video that is gone leaves no file", async (t) => {
  const { world, client } = await made(t);
  const video = await client.wait((await client.create(order)).id);
  await world.fault({ scenario: "result_expired" });
  const file = await fileFor(t, "video.mp4");
  await assert.rejects(client.download(video, file), /status 403/);
  assert.equal(existsSync(file), false);
});
