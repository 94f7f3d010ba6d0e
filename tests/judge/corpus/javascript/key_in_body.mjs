// Sends the key in the body, beside the header.
import { client } from "./base/rivya_fetch.mjs";

client.order.api_key = process.env.RIVYA_API_KEY;
await client.makeVideo();
