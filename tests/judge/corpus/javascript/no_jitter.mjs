// Has two workers whose pauses are equal to the millisecond.
import { client } from "./base/acedata_undici.mjs";

const makeVideo = (prompt) => client.makeVideo(prompt, { ...client.order, prompt });

client.backoffMs = (attempt) => 200 * 2 ** attempt;
client.run(Promise.all([makeVideo("Paper boats"), makeVideo("Paper planes")]));
