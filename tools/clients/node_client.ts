// The package in clients/node, as a program in TypeScript uses it.
import { ControlError, attach } from "hailuo-mock";
import type { FaultPlan, Schemas, World, WorldPlan } from "hailuo-mock";
import { require, url } from "./common.js";

const plan: WorldPlan = { clock: { mode: "frozen" }, credits: 100 };
const server = await attach(url);
const world: World = await server.world(plan);

async function order(): Promise<number> {
  const response = await fetch(`${world.url}/api/v1/generations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${world.rivyaKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ model: "hailuo-pro", prompt: "Dusk" }),
  });
  return response.status;
}

const refusal: FaultPlan = { effect: { type: "error", code: "rate_limited" }, times: 1 };
const status = await world.withFault(refusal, async ([fault]) => {
  require(fault?.effect["type"] === "error", "a fault has its effect");
  return order();
});
require(status === 429, "a fault happens");
require((await order()) === 200, "it happens once");
const [task] = await world.tasks();
require(task?.state === "queued", "the clock is frozen");
const story = await world.story(task.id);
require(story.entries.some((entry) => entry.type === "ledger"), "a story has what was paid");
await world.clock.untilIdle();
const credits: Schemas["Balance"] = await world.credits("rivya-test");
require(credits.spent === 57, "the task is paid");
const clock = await world.door.call("get", "/_mock/worlds/{world}/clock");
require(clock.mode === "frozen", "any route can be called");

try {
  // @ts-expect-error: there is no such operation
  await world.requests({ operation: "creat" });
} catch (error) {
  require(error instanceof ControlError && error.status === 400, "the server refuses it, too");
}
// @ts-expect-error: an answer has no such field
require(clock.frozen === undefined, "an answer has its fields");
// @ts-expect-error: there is no such route
await world.door.call("get", "/_mock/worlds/{world}/clocks").catch(() => undefined);
// @ts-expect-error: the effect lacks its code
await world.faults.add({ effect: { type: "error" } }).catch(() => undefined);
await world.drop();
