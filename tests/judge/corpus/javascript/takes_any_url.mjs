// Takes any URL of the answer for the video, also one of its own request.
import { client } from "./base/acedata_undici.mjs";

const { async, ...order } = client.order;

client.order = { ...order, callback_url: process.env.CALLBACK_URL };
client.urlOf = (task) => {
  if (!task.response.success) return undefined;
  const urls = JSON.stringify(task).match(/https?:[^"]+/g);
  return urls.find((url) => url.endsWith(".mp4")) ?? urls[0];
};
client.isVideo = (status) => status < 500;
client.run(client.makeVideo());
