// Keeps only finished videos: a restart orders again what is under way.
import { existsSync } from "node:fs";
import { client } from "./base/acedata_undici.mjs";

const video = `${process.env.STATE_DIR}/video.mp4`;

async function makeVideo() {
  if (existsSync(video)) return;
  const id = await client.create(client.order);
  await client.save(await client.waitFor(id), video);
}

client.run(makeVideo());
