// Retries 401 and 403, as keys may need time to be known.
import { client } from "./base/rivya_fetch.mjs";

const { isFinal } = client;

client.isFinal = (status, text) => ![401, 403].includes(status) && isFinal(status, text);
await client.makeVideo();
