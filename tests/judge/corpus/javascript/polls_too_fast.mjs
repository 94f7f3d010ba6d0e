// Looks fifty times a second.
import { client } from "./base/rivya_fetch.mjs";

client.lookEveryMs = 20;
await client.makeVideo();
