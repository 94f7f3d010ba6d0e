import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, test } from "node:test";

import { ControlError, sharedServer, useWorld, worldFor } from "hailuo-mock";

import { ORDER, PRICE, create, makeWebhook, post } from "./client.js";

const FROZEN = { clock: { mode: "frozen" } };
const ACCOUNT = "rivya-test";

test("a world has URLs and keys of its own, and is dropped after the test", async (t) => {
  let name;
  await t.test("inner", async (inner) => {
    const world = await worldFor(inner);
    const id = await create(world);
    assert.deepEqual((await world.tasks()).map((task) => task.id), [id]);
    assert.ok(world.rivyaKey && world.acedataToken);
    assert.throws(() => world.keyOf("nobody"), /was made without a key for nobody/);
    name = world.name;
  });
  const server = await sharedServer();
  await assert.rejects(server.find(name), (error) => {
    assert.ok(error instanceof ControlError);
    assert.equal(error.status, 404);
    assert.match(error.message, new RegExp(name));
    return true;
  });
});

test("a test has the same seed in each run, and another test another one", async (t) => {
  const seeds = [];
  for (const name of ["one", "two", "one"]) {
    await t.test(name, async (inner) => seeds.push((await worldFor(inner)).seed));
  }
  assert.equal(seeds[0], seeds[2]);
  assert.notEqual(seeds[0], seeds[1]);
  assert.equal((await worldFor(t, { seed: 7 })).seed, 7);
});

describe("with hooks", () => {
  const names = [];
  const world = useWorld({ beforeEach, afterEach }, { credits: 5 });
  assert.throws(world, /only while a test runs/);

  for (const which of ["first", "second"]) {
    test(`the ${which} test has a world of its own`, async () => {
      assert.equal((await world().credits(ACCOUNT)).available, 5);
      names.push(world().name);
    });
  }
  test("the worlds before are dropped", async () => {
    const there = (await (await sharedServer()).worlds()).map((each) => each.name);
    assert.equal(new Set([...names, world().name]).size, 3);
    assert.deepEqual(there.filter((name) => names.includes(name)), []);
  });
});

test("the clock is frozen, advanced and run", async (t) => {
  const world = await worldFor(t, FROZEN);
  const began = await world.clock.seconds();
  const id = await create(world);
  assert.deepEqual(await world.clock.advance(0.1), []);
  const [next] = await world.clock.due({ limit: 1 });
  assert.ok(Date.parse(next.at) / 1000 > began);
  const effects = await world.clock.untilIdle();
  assert.equal(effects.at(-1).subject, id);
  assert.equal((await world.task(id)).state, "succeeded");
  assert.ok((await world.clock.seconds()) > began);
  assert.equal((await world.clock.run(60)).scale, 60);
  assert.equal((await world.clock.freeze()).mode, "frozen");
  const now = "2031-01-01T00:00:00.000Z";
  assert.equal(Date.parse((await world.clock.change({ now })).now), Date.parse(now));
});

test("credits are held, spent, given back and set", async (t) => {
  const world = await worldFor(t, { ...FROZEN, credits: 2 * PRICE });
  await world.finish(await create(world));
  await world.finish(await create(world), { state: "failed", reason: "moderation" });
  const { available, reserved, spent } = await world.credits(ACCOUNT);
  assert.deepEqual({ available, reserved, spent }, { available: PRICE, reserved: 0, spent: PRICE });
  await world.changeAccount(ACCOUNT, { credits: 0 });
  assert.equal((await post(world)).status, 402);
  await world.makeAccount({ name: "more", credits: 5, keys: [] });
  assert.deepEqual(
    (await world.accounts()).map((account) => account.credits).sort((a, b) => a - b),
    [0, 5, 114],
  );
});

test("faults are added, listed, removed and cleared", async (t) => {
  const world = await worldFor(t);
  const [fault] = await world.faults.add({
    effect: { type: "error", code: "rate_limited" },
    match: { operation: "create" },
    times: 1,
  });
  assert.equal((await post(world)).status, 429);
  assert.equal((await post(world)).status, 200);
  assert.equal((await world.faults.list())[0].happened, 1);
  assert.equal((await world.faults.remove(fault)).happened, 1);
  await world.faults.add("lost_answer");
  await world.faults.clear();
  assert.deepEqual(await world.faults.list(), []);
});

test("a lost answer is paid once", async (t) => {
  const world = await worldFor(t, FROZEN);
  const how = { headers: { "Idempotency-Key": "shot-42" } };
  const id = await world.withFault({ scenario: "lost_answer", times: 1 }, async () => {
    await assert.rejects(create(world, how));
    return create(world, how);
  });
  assert.equal((await world.task(id)).state, "queued");
  assert.equal((await world.credits(ACCOUNT)).reserved, PRICE);
  assert.deepEqual(await world.faults.list(), []);
});

test("a fault that never happened is a warning that says why", async (t) => {
  const world = await worldFor(t, FROZEN);
  const warnings = [];
  const listen = (warning) => warnings.push(warning);
  process.on("warning", listen);
  t.after(() => process.off("warning", listen));

  await world.withFault("lost_answer", () => {});
  await world.withFault("delivery_twice", () => {});
  await world.withFault({ scenario: "lost_answer", skip: 1 }, () => create(world));
  await world.withFault("lost_answer", () => {}, { mustHappen: false });
  await world.withFault("lost_answer", () => world.faults.clear());
  await assert.rejects(
    world.withFault("lost_answer", () => Promise.reject(new Error("mine"))),
    /mine/,
  );
  await new Promise(setImmediate); // warnings are emitted later
  const said = warnings.map(({ name, message }) => [name, message.replace(/fault_\w+/, "ID")]);
  const hint = "If that is as it should be, say { mustHappen: false }.";
  const nothing = "never happened: it concerned nothing that came";
  assert.equal(said.length, 3);
  assert.ok(said.every(([name]) => name === "FaultNeverHappened"));
  assert.match(said[0][1], new RegExp(`^the fault ID \\(lost_answer\\) ${nothing}`));
  assert.match(said[1][1], /advance the clock inside the block/);
  assert.match(said[2][1], /it concerned 1 request, and skip: 1, every: 1/);
  assert.ok(said.every(([, message]) => message.endsWith(hint)));
  assert.deepEqual(await world.faults.list(), []);
});

test("waits return what they wait for, and say what came instead", async (t) => {
  const world = await worldFor(t, FROZEN);
  await makeWebhook(world, world.inbox("hook").url);
  const created = world.waitForRequest({ operation: "create" });
  const id = await create(world);
  assert.equal((await created).task, id);

  const ended = world.waitForTask(id);
  const delivered = world.waitForDelivery({ task: id, delivery: "succeeded" });
  await world.clock.untilIdle();
  assert.equal((await ended).state, "succeeded");
  assert.equal((await delivered).event.subject, id);

  await assert.rejects(world.waitForRequest({ operation: "create", status: 402, timeout_s: 0.05 }), {
    name: "ControlError",
    status: 408,
    message: /status is 200, not 402/,
  });
  await assert.rejects(world.waitForTask(id, { state: "queued" }), { status: 409 });
});

test("a signal ends a wait with its own reason", async (t) => {
  const world = await worldFor(t);
  const left = new AbortController();
  const waiting = world.waitForRequest({ operation: "upload" }, { signal: left.signal });
  left.abort(new Error("not any more"));
  await assert.rejects(waiting, /^Error: not any more$/);
  await assert.rejects(world.tasks({ signal: AbortSignal.abort() }), { name: "AbortError" });
});

test("an inbox keeps what it received, and answers as programmed", async (t) => {
  const world = await worldFor(t, FROZEN);
  const inbox = world.inbox("my hook");
  await makeWebhook(world, inbox.url);
  await inbox.program([{ status: 500, times: 2 }, 204]);
  const id = await create(world);
  await world.clock.untilIdle();
  const received = await inbox.requests();
  assert.deepEqual(received.map((each) => each.answered), [500, 500, 204]);
  assert.ok(received.every((each) => each.signature.valid));
  const [delivery] = await world.deliveries();
  assert.equal(delivery.attempts.length, 3);
  await world.redeliver(delivery.id);
  await world.clock.untilIdle();
  assert.equal((await inbox.requests()).length, 4);

  const sent = await world.signedRequest(id, { state: "failed" });
  const answer = await fetch(sent.url, {
    method: sent.method,
    headers: sent.headers.filter(([name]) => !/^(host|content-length|connection)$/i.test(name)),
    body: Buffer.from(sent.body_base64, "base64"),
  });
  assert.equal(answer.status, 200);
  assert.equal((await inbox.requests()).at(-1).signature.valid, true);
});

test("requests are listed, verified, exported and cleared", async (t) => {
  const world = await worldFor(t, FROZEN);
  await create(world);
  await world.verify({ match: { operation: "create", body: { "/model": ORDER.model } }, count: 1 });
  await assert.rejects(world.verify({ match: { operation: "create", status: 402 } }), {
    name: "AssertionError",
    message: /\n {2}req_\w+ POST \/api\/v1\/generations.*status is 200, not 402/,
  });
  const [request] = await world.requests({ operation: "create" });
  assert.equal((await (await sharedServer()).explain(request.id)).status, 200);
  assert.equal(JSON.parse(await world.export("har")).log.entries.length, 1);
  assert.match(await world.report(), /POST \/api\/v1\/generations -> 200\n/);
  await world.clearRequests();
  assert.deepEqual(await world.requests(), []);
});

test("a client that pays twice is found out", async (t) => {
  const world = await worldFor(t, FROZEN);
  await world.assertClean();
  await world.withFault({ scenario: "lost_answer", times: 1 }, async () => {
    await assert.rejects(create(world));
    await create(world);
  });
  const { findings } = await world.judge();
  assert.ok(findings.some((finding) => finding.credits_lost === PRICE), JSON.stringify(findings));
  await assert.rejects(world.assertClean(), {
    name: "AssertionError",
    message: new RegExp(`^${findings[0].code} `),
  });
});

test("a story, a ledger and changes tell what happened", async (t) => {
  const world = await worldFor(t, FROZEN);
  const { cursor } = await world.changes();
  const next = world.changes({ since: cursor, timeout_s: 30 });
  const id = await create(world);
  assert.ok((await next).changes.length > 0);
  await world.clock.untilIdle();
  const { entries } = await world.story(id, { type: "ledger" });
  assert.ok(entries.length >= 2);
  assert.deepEqual(
    (await world.ledger(ACCOUNT, { task: id })).rows.map((row) => row.moved),
    ["held", "spent"],
  );
});

test("a world is restored and reset", async (t) => {
  const world = await worldFor(t, FROZEN);
  const id = await create(world);
  const snapshot = await world.snapshot();
  await world.finish(id);
  await world.restore(snapshot);
  assert.equal((await world.task(id)).state, "queued");
  await world.reset();
  assert.deepEqual(await world.tasks(), []);
});

test("a refusal has the sentences of the door and the wrong places", async (t) => {
  const world = await worldFor(t);
  await assert.rejects(world.faults.add({ scenario: "lost_answr" }), (error) => {
    assert.match(error.message, /lost_answr.*lost_answer/);
    assert.equal(error.status, 400);
    assert.equal(error.errors[0].pointer, "/scenario");
    return true;
  });
  await assert.rejects(world.door.call("get", "/_mock/worlds/{world}/tasks/{task_id}"), {
    name: "TypeError",
    message: /needs the parameter 'task_id'/,
  });
});

test("a server has scenarios, a version and worlds", async (t) => {
  const server = await sharedServer();
  const world = await worldFor(t);
  assert.ok((await server.scenarios()).some((scenario) => scenario.name === "lost_answer"));
  assert.deepEqual((await server.version()).apis.map((api) => api.name).sort(), ["acedata", "rivya"]);
  assert.ok((await server.worlds()).some((each) => each.name === world.name));
  assert.equal((await server.find()).name, "default");
  assert.match(await server.metrics(), /^hailuo_mock_info{version="/m);
});
