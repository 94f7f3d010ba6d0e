// Sends its order again to see whether the video is ready.
import { randomUUID } from "node:crypto";
import { client } from "./base/rivya_fetch.mjs";

client.look = () => client.create(client.order, randomUUID());
client.lookEveryMs = 1000;
await client.saveWhenReady();
