import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { AceData, MaybeCharged, TaskFailed, acedataCallbacks } from "../acedata.mjs";
import { NotSent } from "../patience.mjs";
import { fileFor, makeWorld, receive, whereNobodyIs } from "./fake.mjs";

const ACCOUNT = "acedata-test";
const order = { prompt: "Paper boats on a pond" };

async function made(t, plan) {
  const world = await makeWorld(t, plan);
  const client = new AceData({
    token: world.acedataToken,
    baseUrl: world.url,
    sleep: world.sleep,
  });
  return { world, client };
}

async function charged(world) {
  const { granted, available } = await world.ledger(ACCOUNT);
  return granted - available;
}

async function isVideo(file) {
  return (await readFile(file)).toString("latin1", 4, 8) === "ftyp";
}

test("a video comes on the open line and is saved", async (t) => {
  const { client } = await made(t, { clock: { mode: "real", scale: 100 } });
  const video = await client.generate(order);
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  assert.ok(await isVideo(file));
});

test("a video is ordered, waited for and saved", async (t) => {
  const { world, client } = await made(t);
  const id = await client.submit(order);
  assert.equal((await client.get(id)).state, "running");
  const video = await client.wait(id);
  await world.fault({ scenario: "result_cut", times: 1 });
  const file = await fileFor(t, "video.mp4");
  await client.download(video, file);
  assert.ok(await isVideo(file));
  assert.equal((await world.ledger(ACCOUNT)).spent, 1);
});

test("a failed task is told and paid back", async (t) => {
  const { world, client } = await made(t);
  const id = await client.submit({ prompt: `${order.prompt} mock:generation_failed` });
  await assert.rejects(client.wait(id), TaskFailed);
  assert.equal(await charged(world), 0);
});

test("who can pay for one video gets one", async (t) => {
  const { world, client } = await made(t, { credits: 1 });
  await client.submit(order);
  await assert.rejects(client.submit(order), { code: "used_up", status: 403 });
  assert.equal((await world.requests("create")).length, 2);
});

test("a refusal can be asked for with the token", async (t) => {
  const world = await makeWorld(t);
  const client = new AceData({ token: `${world.acedataToken}+used_up`, baseUrl: world.url });
  await assert.rejects(client.generate(order), { code: "used_up", status: 403 });
});

test("it comes back when it was told to", async (t) => {
  const { world, client } = await made(t);
  await world.fault({ scenario: "too_many_requests", times: 2 });
  const began = await world.now();
  await client.submit(order);
  const at = (await world.requests("create")).map((each) => Date.parse(each.at) / 1000 - began);
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
    const { world, client } = await made(t);
    await world.fault({ scenario, times: 1 });
    await assert.rejects(client.submit(order), MaybeCharged);
    assert.equal((await world.requests("create")).length, 1);
    assert.equal(await charged(world), paid);
  });
}

test("to repeat it all the same pays twice", async (t) => {
  const { world, client } = await made(t);
  await world.fault({ scenario: "lost_answer" });
  await assert.rejects(client.submit(order), MaybeCharged);
  await client.submit(order);
  assert.equal(await charged(world), 2);
});

test("the callback of the lost order brings its video for one price", async (t) => {
  const { world, client } = await made(t);
  const ended = [];
  const lookUp = (id) => client.get(id);
  const onTask = (task) => ended.push(task);
  const callbackUrl = `${await receive(t, acedataCallbacks({ lookUp, onTask }))}?order=42`;
  await world.fault({ scenario: "lost_answer" });
  await assert.rejects(client.submit({ ...order, callbackUrl }), MaybeCharged);
  await world.untilIdle();
  const file = await fileFor(t, "order-42.mp4");
  await client.download(ended[0], file);
  assert.ok(await isVideo(file));
  assert.equal((await world.ledger(ACCOUNT)).spent, 1);
});

test("an order that found nobody is sent again", async () => {
  const pauses = [];
  const sleep = (seconds) => pauses.push(Math.floor(seconds));
  const client = new AceData({ token: "test-token", baseUrl: await whereNobodyIs(), sleep });
  await assert.rejects(client.submit(order), NotSent);
  assert.deepEqual(pauses, [1, 2, 4, 8]);
});

test("a callback that comes twice is taken once", async (t) => {
  const { world, client } = await made(t);
  const ended = [];
  const listener = acedataCallbacks({
    lookUp: (id) => client.get(id),
    onTask: (task) => ended.push(task),
  });
  await world.fault({ scenario: "delivery_twice" });
  const id = await client.submit({ ...order, callbackUrl: await receive(t, listener) });
  await world.untilIdle();
  assert.deepEqual(ended, [await client.get(id)]);
});

for (const scenario of ["delivery_wrong_secret", "delivery_altered"]) {
  test(`what is signed by somebody else is not believed: ${scenario}`, async (t) => {
    const { world, client } = await made(t);
    const callbackSecret = "known to the two of us";
    const answers = [];
    const listener = acedataCallbacks({
      secret: callbackSecret,
      lookUp: () => assert.fail("what is forged is not looked up"),
      onTask: () => assert.fail("what is forged is not taken"),
    });
    const callbackUrl = await receive(t, async (request, response) => {
      await listener(request, response);
      answers.push(response.statusCode);
    });
    await world.fault({ scenario });
    await client.submit({ ...order, callbackUrl, callbackSecret });
    await world.sleep(5);
    assert.deepEqual(answers, [400]);
  });
}

test("a signature is looked at if there is one", async (t) => {
  const ended = [];
  const url = await receive(
    t,
    acedataCallbacks({
      secret: "known to the two of us",
      lookUp: () => assert.fail("a signed callback needs no look"),
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
  assert.equal(await post("known to the two of us"), 200);
  assert.deepEqual(ended, [{ id: "t-1", state: "failed", failure: "no room" }]);
});
