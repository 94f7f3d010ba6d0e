// Reads every answer as JSON, before it looks at the status.
import { client } from "./base/rivya_fetch.mjs";

const { request } = client;

client.request = async (...parts) => {
  const answer = await request(...parts);
  await answer.clone().json();
  return answer;
};
client.onBroken = (error) => {
  if (error instanceof SyntaxError) throw error;
  console.error(`${error}`);
};
await client.makeVideo();
