// The correct client of which others replace a step, as it is.
import { client } from "./base/acedata_undici.mjs";

client.run(client.makeVideo());
