// Crashes at a state that is not in its list.
import { client } from "./base/rivya_fetch.mjs";

client.isReady = (task) => {
  switch (task.status) {
    case "queued":
    case "processing":
      return false;
    case "succeeded":
      if (!task.result.primary_url) client.stop("no URL");
      return true;
    case "failed":
      return client.stop(`failed: ${task.error?.message}`);
    default:
      throw new Error(`unknown state ${task.status}`);
  }
};
await client.makeVideo();
