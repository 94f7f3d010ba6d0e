// Expects one signature in the header, though there are two while a secret is replaced.
import { receiver } from "./base/rivya_receiver.mjs";

const { hasSignature } = receiver;

receiver.hasSignature = (fields, right) => fields.length === 2 && hasSignature(fields, right);
receiver.serve();
