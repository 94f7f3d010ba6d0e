// Has two handlers for one button, and orders in both.
import { randomUUID } from "node:crypto";
import { EventEmitter } from "node:events";
import { client } from "./base/rivya_fetch.mjs";

async function makeVideo() {
  const { id } = await client.create(client.order, randomUUID());
  await client.saveWhenReady(id);
}

const button = new EventEmitter();
const showForm = () => button.on("click", makeVideo);
showForm();
showForm(); // the form is shown again when the window has a new size
button.emit("click");
