// The correct client of which others replace a step, as it is.
import { receiver } from "./base/rivya_receiver.mjs";

receiver.serve();
