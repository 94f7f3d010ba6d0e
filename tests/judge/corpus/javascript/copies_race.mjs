// Looks whether it has acted, waits for its work, and only then writes it down.
import { receiver } from "./base/rivya_receiver.mjs";

receiver.save = (id, mark = id) => receiver.saveNow(id, mark);
receiver.serve();
