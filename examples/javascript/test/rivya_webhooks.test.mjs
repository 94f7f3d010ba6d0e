import assert from "node:assert/strict";
import { test } from "node:test";

import { Rivya, rivyaWebhooks } from "../rivya.mjs";
import { clientIn, receive } from "./fake.mjs";

const order = { prompt: "Slow dolly towards a lighthouse at dusk" };

/** A client, and a receiver with the secret, its events and its answers. */
async function setUp(t, { refuseFirst = 0 } = {}) {
  const { world, client } = await clientIn(
    t,
    {},
    (world, sleep) => new Rivya({ key: world.rivyaKey, baseUrl: world.url, sleep }),
  );
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
  listener = rivyaWebhooks({ secret, onEvent, now: () => world.clock.seconds() });
  return { world, client, events, answers };
}

test("an event has the same generation as a read", async (t) => {
  const { world, client, events } = await setUp(t);
  const { id } = await client.create(order);
  await world.clock.untilIdle();
  assert.equal(events.length, 1);
  assert.equal(events[0].type, "generation.succeeded");
  assert.deepEqual(events[0].data, await client.get(id));
});

for (const scenario of ["delivery_twice", "delivery_twice_at_once"]) {
  test(`an event that comes twice is handled once: ${scenario}`, async (t) => {
    const { world, client, events, answers } = await setUp(t);
    await world.faults.add({ scenario });
    await client.create(order);
    await world.clock.untilIdle();
    assert.deepEqual(answers, [200, 200]);
    assert.equal(events.length, 1);
  });
}

test("an event whose handler failed comes again", async (t) => {
  const { world, client, events, answers } = await setUp(t, { refuseFirst: 2 });
  await client.create(order);
  await world.clock.untilIdle();
  assert.deepEqual(answers, [500, 500, 200]);
  assert.equal(events.length, 1);
});

test("events are handled in any order", async (t) => {
  const { world, client, events } = await setUp(t);
  await world.faults.add({ scenario: "delivery_out_of_order", times: 1 });
  const older = await client.create(order);
  await world.clock.advance(5);
  const newer = await client.create(order);
  await world.clock.untilIdle();
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
  test(`an event with a wrong signature is refused: ${scenario}`, async (t) => {
    const { world, client, events, answers } = await setUp(t);
    await world.faults.add({ scenario });
    await client.create(order);
    await world.clock.advance(5);
    assert.deepEqual(answers, [400]);
    assert.deepEqual(events, []);
  });
}
