/** Starts a server and prints its URL. With an argument it never ends by itself. */

import { start } from "hailuo-mock";

const [how] = process.argv.slice(2);
if (how !== undefined) setInterval(() => {}, 60_000);
if (how !== "never") console.log((await start()).url);
