// Makes the whole job anew if the download breaks.
import { rmSync } from "node:fs";
import { client } from "./base/acedata_undici.mjs";

class Broken extends Error {}

async function makeVideo(attempts) {
  try {
    await client.makeVideo();
  } catch (error) {
    if (!(error instanceof Broken) || attempts === 1) throw error;
    rmSync(`${process.env.STATE_DIR}/video`); // begin again
    await makeVideo(attempts - 1);
  }
}

client.save = (url, file) =>
  client.fetch(url, file).catch((error) => {
    throw new Broken(error);
  });
client.run(makeVideo(3));
