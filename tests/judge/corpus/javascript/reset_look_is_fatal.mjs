// Retries what the server answers, and not a broken connection.
import { client } from "./base/rivya_fetch.mjs";

client.onBroken = (error) => client.stop(`no connection: ${error}`);
await client.makeVideo();
