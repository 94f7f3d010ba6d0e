// Checks the signature over JSON that it has written anew.
import { receiver } from "./base/rivya_receiver.mjs";

const { isSigned } = receiver;

receiver.isSigned = (header, body) => isSigned(header, JSON.stringify(JSON.parse(body)));
receiver.serve();
