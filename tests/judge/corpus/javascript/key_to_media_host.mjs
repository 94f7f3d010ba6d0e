// Sends the key with every request, also to the host of the video.
import { client } from "./base/acedata_undici.mjs";

const { fetch } = client;

client.fetch = (url, file) => fetch(url, file, client.authorization);
client.run(client.makeVideo());
