// Gives up at every 4xx, at 429 too.
import { client } from "./base/rivya_fetch.mjs";

client.isFinal = (status, text) => status < 500 || text.includes("credits");
await client.makeVideo();
