// Acts as often as an event comes.
import { receiver } from "./base/rivya_receiver.mjs";

receiver.isDone = () => false;
receiver.serve();
