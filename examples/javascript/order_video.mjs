/** Orders one video at Ace Data Cloud and saves it: a program to try `hailuo-mock judge` with. */

import { join } from "node:path";

import { AceData } from "./acedata.mjs";

const { ACEDATA_API_TOKEN, ACEDATA_BASE_URL, STATE_DIR } = process.env;
const acedata = new AceData({ token: ACEDATA_API_TOKEN, baseUrl: ACEDATA_BASE_URL });
const id = await acedata.submit({ prompt: "Slow dolly towards a lighthouse at dusk" });
await acedata.download(await acedata.wait(id, { maxWaitS: 30 }), join(STATE_DIR, "video.mp4"));
