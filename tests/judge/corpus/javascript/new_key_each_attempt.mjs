// Makes the key where the headers of each attempt are written.
import { randomUUID } from "node:crypto";
import { client } from "./base/rivya_fetch.mjs";

const { request } = client;

client.request = (method, url, body) =>
  request(method, url, body, {
    "content-type": "application/json",
    "idempotency-key": randomUUID(),
  });
await client.makeVideo();
