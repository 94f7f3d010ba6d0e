import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { AceData, MaybeCharged, TaskFailed, acedataCallbacks } from "../acedata.mjs";
import { NotSent } from "../client_common.mjs";
import { charged, clientIn, fileFor, makeWorld, receive, unusedUrl } from "./fake.mjs";

const ACCOUNT = "acedata-test";
const order = { prompt: "Paper boats on a pond" };

const setUp = (t, plan) =>
  clientIn(
    t,
    plan,
    (world, sleep) => new AceData({ token: world.acedataToken, baseUrl: world.url, sleep }),
  );

async function isVideo(file) {
  return (await readFile(file)).toString("latin1", 4, 8) === "ftyp";
}

test("a held-open request returns a video", async (t) => {
  const { client } = await setUp(t, { clock: { mode: "real", scale: 100 } });
  const video = await client.generate(order);
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  assert.ok(await isVideo(file));
});

test("a video is ordered, waited for and saved", async (t) => {
  const { world, client } = await setUp(t);
  const id = await client.submit(order);
  assert.equal((await client.get(id)).state, "running");
  const video = await client.wait(id);
  await world.faults.add({ scenario: "result_cut", times: 1 });
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  assert.ok(await isVideo(file));
  assert.equal((await world.credits(ACCOUNT)).spent, 1);
});

test("a failed task throws an error and is refunded", async (t) => {
  const { world, client } = await setUp(t);
  const id = await client.submit({ prompt: `${order.prompt} mock:generation_failed` });
  await assert.rejects(client.wait(id), TaskFailed);
  assert.equal(await charged(world, ACCOUNT), 0);
});

test("an account with credits for one video gets one", async (t) => {
  const { world, client } = await setUp(t, { credits: 1 });
  await client.submit(order);
  await assert.rejects(client.submit(order), { code: "used_up", status: 403 });
  assert.equal((await world.requests({ operation: "create" })).length, 2);
});

test("the token can cause a refusal", async (t) => {
  const world = await makeWorld(t);
  const client = new AceData({ token: `${world.acedataToken}+used_up`, baseUrl: world.url });
  await assert.rejects(client.generate(order), { code: "used_up", status: 403 });
});

test("the retry waits as long as the answer says", async (t) => {
  const { world, client } = await setUp(t);
  await world.faults.add({ scenario: "too_many_requests", times: 2 });
  const began = await world.clock.seconds();
  await client.submit(order);
  const creates = await world.requests({ operation: "create" });
  const at = creates.map((each) => Date.parse(each.at) / 1000 - began);
  assert.deepEqual(at, [0, 2, 4]);
});

for (const [scenario, paid] of Object.entries({
  connection_reset: 0,
  bad_gateway: 0,
  lost_answer: 1,
  answer_cut: 1,
  gateway_timeout_after: 1,
})) {
  test(`an order without an answer is not repeated: ${scenario} costs ${paid}`, async (t) => {
    const { world, client } = await setUp(t);
    await world.faults.add({ scenario, times: 1 });
    await assert.rejects(client.submit(order), MaybeCharged);
    assert.equal((await world.requests({ operation: "create" })).length, 1);
    assert.equal(await charged(world, ACCOUNT), paid);
  });
}

test("a second order is charged again", async (t) => {
  const { world, client } = await setUp(t);
  await world.faults.add({ scenario: "lost_answer" });
  await assert.rejects(client.submit(order), MaybeCharged);
  await client.submit(order);
  assert.equal(await charged(world, ACCOUNT), 2);
});

test("the callback of an order without answer has its video", async (t) => {
  const { world, client } = await setUp(t);
  const ended = [];
  const lookUp = (id) => client.get(id);
  const onTask = (task) => ended.push(task);
  const callbackUrl = `${await receive(t, acedataCallbacks({ lookUp, onTask }))}?order=42`;
  await world.faults.add({ scenario: "lost_answer" });
  await assert.rejects(client.submit({ ...order, callbackUrl }), MaybeCharged);
  await world.clock.untilIdle();
  const file = await fileFor(t, "order-42.mp4");
  await client.download(ended[0], file);
  assert.ok(await isVideo(file));
  assert.equal((await world.credits(ACCOUNT)).spent, 1);
});

test("an order to a server that is down is sent again", async () => {
  const pauses = [];
  const sleep = (seconds) => pauses.push(Math.floor(seconds));
  const client = new AceData({ token: "test-token", baseUrl: await unusedUrl(), sleep });
  await assert.rejects(client.submit(order), NotSent);
  assert.deepEqual(pauses, [1, 2, 4, 8]);
});

test("a callback that comes twice is handled once", async (t) => {
  const { world, client } = await setUp(t);
  const ended = [];
  const listener = acedataCallbacks({
    lookUp: (id) => client.get(id),
    onTask: (task) => ended.push(task),
  });
  await world.faults.add({ scenario: "delivery_twice" });
  const id = await client.submit({ ...order, callbackUrl: await receive(t, listener) });
  await world.clock.untilIdle();
  assert.deepEqual(ended, [await client.get(id)]);
});

for (const scenario of ["delivery_wrong_secret", "delivery_altered"]) {
  test(`a callback with a wrong signature is refused: ${scenario}`, async (t) => {
    const { world, client } = await setUp(t);
    const callbackSecret = "a shared secret";
    const answers = [];
    const listener = acedataCallbacks({
      secret: callbackSecret,
      lookUp: () => assert.fail("the task of a forged callback is not read"),
      onTask: () => assert.fail("a forged callback is not handled"),
    });
    const callbackUrl = await receive(t, async (request, response) => {
      await listener(request, response);
      answers.push(response.statusCode);
    });
    await world.faults.add({ scenario });
    await client.submit({ ...order, callbackUrl, callbackSecret });
    await world.clock.advance(5);
    assert.deepEqual(answers, [400]);
  });
}

test("a signature is checked if there is one", async (t) => {
  const ended = [];
  const url = await receive(
    t,
    acedataCallbacks({
      secret: "a shared secret",
      lookUp: () => assert.fail("the task of a signed callback is not read"),
      onTask: (task) => ended.push(task),
    }),
  );
  const body = JSON.stringify({ success: false, task_id: "t-1", error: { message: "no room" } });
  const post = async (secret) => {
    const signature = createHmac("sha256", secret).update(body).digest("hex");
    const headers = { "X-Callback-Signature": signature };
    return (await fetch(url, { method: "POST", headers, body })).status;
  };
  assert.equal(await post("guessed"), 400);
  assert.equal(await post("a shared secret"), 200);
  assert.deepEqual(ended, [{ id: "t-1", state: "failed", failure: "no room" }]);
});
