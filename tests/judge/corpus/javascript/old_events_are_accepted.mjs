// Does not look at the time of a signature.
import { receiver } from "./base/rivya_receiver.mjs";

receiver.isRecent = () => true;
receiver.serve();
