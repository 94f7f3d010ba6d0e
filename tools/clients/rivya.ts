// Uses the types that were generated for Rivya: creates a generation and waits for its end.
import createClient from "openapi-fetch";
import type { components, paths } from "./document.js";
import { later, require, url } from "./common.js";

const headers = { Authorization: "Bearer rvya_sk_test" };
const api = createClient<paths>({ baseUrl: url, headers });

const body: components["schemas"]["GenerationRequest"] = {
  model: "hailuo-standard",
  prompt: "A kite",
  params: {
    duration: "10",
    resolution: "768P",
    referenceMediaItems: [{ url: "https://cdn.example.com/first.png", kind: "image" }],
  },
};
const created = await api.POST("/api/v1/generations", { body });
require(created.data !== undefined, "the generation is accepted");
let read: components["schemas"]["Generation"] = created.data;
while (read.status === "queued" || read.status === "processing") {
  await later(100);
  const answer = await api.GET("/api/v1/generations/{taskId}", {
    params: { path: { taskId: created.data.id } },
  });
  require(answer.data !== undefined, "the generation can be read");
  read = answer.data;
}
require(read.status === "succeeded", "the generation succeeds");
require(read.result.primary_url === read.result.urls[0], "the result has its URL");

// @ts-expect-error: hailuo-pro has no duration
await api.POST("/api/v1/generations", { body: { model: "hailuo-pro", prompt: "A", params: { duration: "6" } } });
// @ts-expect-error: a generation request needs a prompt
await api.POST("/api/v1/generations", { body: { model: "hailuo-pro" } });

const refused = await api.GET("/api/v1/generations/{taskId}", {
  params: { path: { taskId: "task_of_nobody" } },
});
require(refused.error?.error.code === "not_found", "an unknown generation is refused");
