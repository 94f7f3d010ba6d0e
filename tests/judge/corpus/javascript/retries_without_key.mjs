// Retries each request, and sends no Idempotency-Key.
import { client } from "./base/rivya_fetch.mjs";

client.keyHeaders = () => ({});
await client.makeVideo();
