// Lets the HTTP library repeat every POST, the order too.
import { Agent, interceptors } from "undici";
import { client } from "./base/acedata_undici.mjs";

client.dispatcher = new Agent().compose(
  interceptors.retry({ maxRetries: 3, minTimeout: 300, methods: ["GET", "POST"] }),
);
client.run(client.makeVideo());
