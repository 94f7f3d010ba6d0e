// Retries 402 in the hope that somebody pays.
import { client } from "./base/rivya_fetch.mjs";

client.isFinal = (status) => ![402, 429].includes(status) && status < 500;
await client.makeVideo();
