/** A client of Rivya's, as small as one can be. */

export const ORDER = { model: "hailuo-pro", prompt: "Slow dolly towards a lighthouse at dusk" };
export const PRICE = 57;

/** Order a video: the answer, as `fetch` has it. */
export function post(world, { order = ORDER, path = "/api/v1/generations", headers = {} } = {}) {
  return fetch(world.url + path, {
    method: "POST",
    headers: {
      Authorization: `Bearer ${world.rivyaKey}`,
      "Content-Type": "application/json",
      ...headers,
    },
    body: JSON.stringify(order),
  });
}

/** Order a video: its id. */
export async function create(world, how) {
  const response = await post(world, how);
  if (!response.ok) throw new Error(`status ${response.status}`);
  return (await response.json()).id;
}

/** Make a webhook endpoint with this URL. */
export function makeWebhook(world, url) {
  const order = { url, event_types: ["generation.succeeded", "generation.failed"] };
  return create(world, { path: "/api/v1/webhooks", order });
}
