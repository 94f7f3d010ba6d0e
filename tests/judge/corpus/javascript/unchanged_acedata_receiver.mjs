// The correct client of which others replace a step, as it is.
import { receiver } from "./base/acedata_receiver.mjs";

receiver.serve();
