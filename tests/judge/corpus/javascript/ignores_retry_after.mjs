// Has its own pauses and does not read Retry-After.
import { client } from "./base/rivya_fetch.mjs";

client.toldSeconds = () => 0;
await client.makeVideo();
