// The correct client of which others replace a step, as it is.
import { client } from "./base/rivya_fetch.mjs";

await client.makeVideo();
