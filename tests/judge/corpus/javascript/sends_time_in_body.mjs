// Writes the time of the attempt into the body.
import { client } from "./base/rivya_fetch.mjs";

const { request } = client;

client.request = (method, url, body, headers) => {
  const timed = body && { ...body, client_request_id: new Date().toISOString() };
  return request(method, url, timed, headers);
};
await client.makeVideo();
