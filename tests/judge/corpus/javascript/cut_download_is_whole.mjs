// Takes the end of the connection for the end of the file.
import { get } from "node:http";
import { client } from "./base/rivya_fetch.mjs";

client.download = async (url) => {
  const answer = await new Promise((resolve, reject) => {
    get(url, { timeout: 1500 }, resolve).on("error", reject);
  });
  const chunks = [];
  answer.on("data", (chunk) => chunks.push(chunk)).on("error", () => {});
  await new Promise((resolve) => answer.on("close", resolve));
  if (answer.statusCode !== 200) throw new Error(`${answer.statusCode}`);
  return Buffer.concat(chunks);
};
await client.makeVideo();
