// Uses the types that were generated for Ace Data Cloud: creates a video and waits for its end.
import createClient from "openapi-fetch";
import type { paths } from "./document.js";
import { later, require, url } from "./common.js";

const headers = { Authorization: "Bearer test-token" };
const api = createClient<paths>({ baseUrl: url, headers });

const created = await api.POST("/hailuo/videos", {
  body: { action: "generate", prompt: "Heat", async: true },
});
require(created.data !== undefined, "the video is accepted");
const id = created.data.task_id;
for (;;) {
  const { data } = await api.POST("/hailuo/tasks", { body: { id } });
  require(data !== undefined && "response" in data, "the task can be read");
  if (data.response && "data" in data.response) {
    require(data.response.data[0]?.state === "succeeded", "the video succeeds");
    break;
  }
  await later(100);
}
const batch = await api.POST("/hailuo/tasks", { body: { action: "retrieve_batch", ids: [id] } });
require(batch.data !== undefined && "items" in batch.data, "the batch has its tasks");

// @ts-expect-error: a request without a model needs a prompt
await api.POST("/hailuo/videos", { body: { action: "generate" } });
// @ts-expect-error: retrieve_batch needs ids
await api.POST("/hailuo/tasks", { body: { action: "retrieve_batch", id } });
