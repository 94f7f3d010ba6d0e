// Writes the URL of the video down, and does not fetch it.
import { writeFileSync } from "node:fs";
import { client } from "./base/acedata_undici.mjs";

client.save = async (url) => writeFileSync(`${process.env.STATE_DIR}/url`, url);
client.run(client.makeVideo());
