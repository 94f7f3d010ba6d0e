// Multiplies a Retry-After that is a date, and waits not at all.
import { client } from "./base/rivya_fetch.mjs";

client.toldSeconds = Number;
await client.makeVideo();
