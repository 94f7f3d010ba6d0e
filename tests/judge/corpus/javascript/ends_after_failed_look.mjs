// Takes an error of a look for the end of its job, and gives it up.
import { client } from "./base/rivya_fetch.mjs";

client.attempts.GET = 1;
await client.makeVideo();
