// Answers 400 to an event of a type that it does not know.
import { receiver } from "./base/rivya_receiver.mjs";

const { act } = receiver;
const known = ["generation.succeeded", "generation.failed"];

receiver.act = async (event, headers) => (known.includes(event.type) ? act(event, headers) : 400);
receiver.serve();
