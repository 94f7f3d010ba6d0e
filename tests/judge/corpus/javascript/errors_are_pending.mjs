// Takes every error of a look for a job that is not ready.
import { client } from "./base/acedata_undici.mjs";

const { look } = client;

client.look = (id) => look(id).catch(() => ({ response: {} }));
client.run(client.makeVideo());
