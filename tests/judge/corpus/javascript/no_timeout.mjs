// Has no time limit for a request.
import { client } from "./base/rivya_fetch.mjs";

client.timeLimit = () => undefined;
await client.makeVideo();
