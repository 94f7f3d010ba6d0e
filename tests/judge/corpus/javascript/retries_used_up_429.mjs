// Retries every 429, also if it says that the credits are used up.
import { client } from "./base/acedata_undici.mjs";

client.isFinal = (status) => status !== 429;
client.run(client.makeVideo());
