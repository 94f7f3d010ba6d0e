// Tells copies by the id of the delivery, which each attempt has anew.
import { receiver } from "./base/rivya_receiver.mjs";

receiver.markOf = (event, headers) => headers["rivya-delivery-id"];
receiver.serve();
