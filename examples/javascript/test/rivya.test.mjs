import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { StillRunning, Unavailable } from "../client_common.mjs";
import { GenerationFailed, Rivya } from "../rivya.mjs";
import { charged, clientIn, fileFor, makeWorld } from "./fake.mjs";

const ACCOUNT = "rivya-test";
const PRICE = 57;
const order = { prompt: "Slow dolly towards a lighthouse at dusk" };

const setUp = (t, plan) =>
  clientIn(t, plan, (world, sleep) => new Rivya({ key: world.rivyaKey, baseUrl: world.url, sleep }));

test("a video is ordered, waited for and saved", async (t) => {
  const { world, client } = await setUp(t);
  const ordered = await client.create(order);
  assert.equal(ordered.status, "queued");
  const file = await fileFor(t, "video.mp4");
  await client.download(await client.wait(ordered.id), file);
  assert.equal((await readFile(file)).toString("latin1", 4, 8), "ftyp");
  assert.equal((await world.credits(ACCOUNT)).spent, PRICE);
});

test("a failed generation throws an error and is refunded", async (t) => {
  const { world, client } = await setUp(t);
  const { id } = await client.create(order);
  await world.finish(id, { state: "failed" });
  await assert.rejects(client.wait(id), GenerationFailed);
  assert.equal(await client.credits(), 1_000_000);
});

test("polls end after the maximum wait", async (t) => {
  const { world, client } = await setUp(t);
  await world.faults.add({ scenario: "stuck" });
  const { id } = await client.create(order);
  await assert.rejects(client.wait(id, { maxWaitS: 60 }), StillRunning);
  assert.equal((await world.requests({ operation: "read" })).length, 9);
});

test("an account with credits for one video gets one", async (t) => {
  const { world, client } = await setUp(t, { credits: PRICE });
  await client.create(order);
  await assert.rejects(client.create(order), { code: "insufficient_credits", status: 402 });
  assert.equal((await world.requests({ operation: "create" })).length, 2);
});

test("the key can cause a refusal", async (t) => {
  const world = await makeWorld(t);
  const key = `${world.rivyaKey}+insufficient_credits`;
  const client = new Rivya({ key, baseUrl: world.url });
  await assert.rejects(client.create(order), { code: "insufficient_credits" });
});

test("a header can cause a refusal", async (t) => {
  const world = await makeWorld(t);
  const headers = { "Mock-Scenario": "api_key_revoked" };
  const client = new Rivya({ key: world.rivyaKey, baseUrl: world.url, headers });
  await assert.rejects(client.create(order), { code: "api_key_revoked", status: 401 });
});

test("one name for two different orders is a conflict", async (t) => {
  const { world, client } = await setUp(t);
  await client.create({ ...order, order: "shot-42" });
  await assert.rejects(client.create({ prompt: "Something else", order: "shot-42" }), {
    code: "idempotency_conflict",
    status: 409,
  });
  assert.equal((await world.requests({ operation: "create" })).length, 2);
  assert.equal(await charged(world, ACCOUNT), PRICE);
});

test("the retry waits as long as the answer says", async (t) => {
  const { world, client } = await setUp(t);
  const limited = { key: world.rivyaKey, api: "rivya", rate_limit: 1 };
  await world.changeAccount(ACCOUNT, { keys: [limited] });
  await client.credits();
  const began = await world.clock.seconds();
  await client.create(order);
  const [refused, accepted] = await world.requests({ operation: "create" });
  assert.deepEqual([refused.status, accepted.status], [429, 200]);
  assert.equal(Date.parse(accepted.at) / 1000 - began, 60);
});

test("a day is not waited for", async (t) => {
  const { world, client } = await setUp(t);
  const effect = { type: "error", code: "rate_limited", retry_after_s: 86_400 };
  await world.faults.add({ effect });
  await assert.rejects(client.create(order), { code: "rate_limited", retryAfterS: 86_400 });
  assert.equal((await world.requests({ operation: "create" })).length, 1);
});

test("retries end after five attempts", async (t) => {
  const { world, client } = await setUp(t);
  await world.faults.add({ scenario: "rate_limited" });
  await assert.rejects(client.create(order), { code: "rate_limited" });
  assert.equal((await world.requests({ operation: "create" })).length, 5);
});

for (const scenario of [
  "lost_answer",
  "answer_cut",
  "answer_not_json",
  "bad_gateway_after",
  "internal_error_after",
]) {
  test(`an order whose answer is lost is paid once: ${scenario}`, async (t) => {
    const { world, client } = await setUp(t);
    await world.faults.add({ scenario, times: 1 });
    const ordered = await client.create(order);
    const [lost, found] = await world.requests({ operation: "create" });
    assert.equal(lost.task, ordered.id);
    assert.equal(found.task, ordered.id);
    assert.equal(await charged(world, ACCOUNT), PRICE);
  });
}

test("an order with another name is charged again", async (t) => {
  const { world, client } = await setUp(t);
  await world.faults.add({ scenario: "lost_answer", times: 5 });
  await assert.rejects(client.create(order), Unavailable);
  await client.create(order);
  assert.equal((await world.tasks()).length, 2);
  assert.equal(await charged(world, ACCOUNT), 2 * PRICE);
});

test("an interrupted download is repeated", async (t) => {
  const { world, client } = await setUp(t);
  const video = await client.wait((await client.create(order)).id);
  await world.faults.add({ scenario: "result_cut", times: 1 });
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  const whole = await (await fetch(video.result.primary_url)).arrayBuffer();
  assert.deepEqual(await readFile(file), Buffer.from(whole));
  assert.equal((await world.requests({ operation: "media" })).length, 3);
});

test("a refused download leaves no file", async (t) => {
  const { world, client } = await setUp(t);
  const video = await client.wait((await client.create(order)).id);
  await world.faults.add({ scenario: "result_expired" });
  const file = await fileFor(t, "video.mp4");
  await assert.rejects(client.download(video, file), /status 403/);
  assert.equal(existsSync(file), false);
});
