// Checks a signature only if there is one.
import { receiver } from "./base/rivya_receiver.mjs";

const { isSigned } = receiver;

receiver.isSigned = (header, body) => !header || isSigned(header, body);
receiver.serve();
