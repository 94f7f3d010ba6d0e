import assert from "node:assert/strict";
import { test } from "node:test";

import { Rivya, rivyaWebhooks } from "../rivya.mjs";
import { makeWorld, receive } from "./fake.mjs";

const order = { prompt: "Slow dolly towards a lighthouse at dusk" };

/** A client, a listening receiver that knows the secret, what it took and what it answered. */
async function made(t, { refuseFirst = 0 } = {}) {
  const world = await makeWorld(t);
  const client = new Rivya({ key: world.rivyaKey, baseUrl: world.url, sleep: world.sleep });
  const [events, answers] = [[], []];
  let listener;
  const url = await receive(t, async (request, response) => {
    await listener(request, response);
    answers.push(response.statusCode);
  });
  const { secret } = await client.makeWebhook(url);
  const onEvent = (event) => {
    if (answers.length < refuseFirst) throw new Error("not now");
    events.push(event);
  };
  listener = rivyaWebhooks({ secret, onEvent, now: world.now });
  return { world, client, events, answers };
}

test("an event says what a look would have said", async (t) => {
  const { world, client, events } = await made(t);
  const { id } = await client.create(order);
  await world.untilIdle();
  assert.equal(events.length, 1);
  assert.equal(events[0].type, "generation.succeeded");
  assert.deepEqual(events[0].data, await client.get(id));
});

for (const scenario of ["delivery_twice", "delivery_twice_at_once"]) {
  test(`an event that comes twice is taken once: ${scenario}`, async (t) => {
    const { world, client, events, answers } = await made(t);
    await world.fault({ scenario });
    await client.create(order);
    await world.untilIdle();
    assert.deepEqual(answers, [200, 200]);
    assert.equal(events.length, 1);
  });
}

test("an event that could not be handled comes again", async (t) => {
  const { world, client, events, answers } = await made(t, { refuseFirst: 2 });
  await client.create(order);
  await world.untilIdle();
  assert.deepEqual(answers, [500, 500, 200]);
  assert.equal(events.length, 1);
});

test("events may come in any order", async (t) => {
  const { world, client, events } = await made(t);
  await world.fault({ scenario: "delivery_out_of_order", times: 1 });
  const older = await client.create(order);
  await world.sleep(5);
  const newer = await client.create(order);
  await world.untilIdle();
  assert.deepEqual(
    events.map((event) => event.data.id),
    [newer.id, older.id],
  );
});

for (const scenario of [
  "delivery_altered",
  "delivery_wrong_secret",
  "delivery_unsigned",
  "delivery_stale",
]) {
  test(`what is not signed well is not believed: ${scenario}`, async (t) => {
    const { world, client, events, answers } = await made(t);
    await world.fault({ scenario });
    await client.create(order);
    await world.sleep(5);
    assert.deepEqual(answers, [400]);
    assert.deepEqual(events, []);
  });
}
