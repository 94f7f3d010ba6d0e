// Acts as often as a callback comes.
import { receiver } from "./base/acedata_receiver.mjs";

receiver.isDone = () => false;
receiver.serve();
