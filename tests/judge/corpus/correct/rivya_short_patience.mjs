// Makes one video on Rivya. It waits at most three seconds for Retry-After: if the server wants a
// longer wait, it gives up at once, and its caller starts it again later.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

const { RIVYA_BASE_URL, RIVYA_API_KEY, STATE_DIR } = process.env;
const LONGEST_WAIT_MS = 3000;

// The seconds of Retry-After, which may be a date; NaN if nobody can read it.
function toldSeconds(value = "") {
  return /^\d*$/.test(value) ? Number(value) : (Date.parse(value) - Date.now()) / 1000;
}

class RivyaError extends Error {}

class Rivya {
  end = Date.now() + 5000;

  async send(method, path, { body, headers } = {}) {
    let reason;
    for (let attempt = 0; attempt < 4 && Date.now() < this.end; attempt++) {
      let waitMs = Math.min(2000, 250 * 2 ** attempt) * (0.5 + Math.random());
      try {
        const answer = await fetch(RIVYA_BASE_URL + path, {
          method,
          body,
          headers: { authorization: `Bearer ${RIVYA_API_KEY}`, ...headers },
          signal: AbortSignal.timeout(1500),
        });
        if (answer.ok) return await answer.json();
        reason = `${answer.status} ${await answer.text()}`;
        const isFinal = answer.status < 500 && answer.status !== 429;
        if (isFinal || reason.includes("insufficient_credits")) throw new RivyaError(reason);
        waitMs = Math.max(waitMs, 1000 * toldSeconds(answer.headers.get("retry-after") ?? ""));
        if (!(waitMs <= LONGEST_WAIT_MS)) throw new RivyaError("told to come back later");
      } catch (error) {
        if (error instanceof RivyaError) throw error;
        reason = error;
      }
      await sleep(waitMs);
    }
    throw new RivyaError(`${method} ${path}: ${reason}`);
  }

  create(order) {
    const body = JSON.stringify(order);
    // One order a day and prompt: a second start of the program means the same video.
    const day = new Date().toISOString().slice(0, 10);
    const key = createHash("sha256").update(day + STATE_DIR + body).digest("hex").slice(0, 40);
    const headers = { "content-type": "application/json", "idempotency-key": key };
    return this.send("POST", "/api/v1/generations", { body, headers });
  }

  async finished(id) {
    while (Date.now() < this.end) {
      const task = await this.send("GET", `/api/v1/generations/${id}`);
      if (task.status === "succeeded" && task.result?.urls?.length) return task;
      if (task.status === "failed") throw new RivyaError(task.error?.message ?? "failed");
      await sleep(350);
    }
    throw new RivyaError("not finished in time");
  }
}

async function download(url) {
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(1500) });
      if (!answer.ok) throw new RivyaError(`the video: ${answer.status}`);
      return Buffer.from(await answer.arrayBuffer());
    } catch (error) {
      if (attempt === 3) throw error;
      await sleep(200 * attempt);
    }
  }
}

try {
  const rivya = new Rivya();
  const file = `${STATE_DIR}/id`;
  if (!existsSync(file)) {
    writeFileSync(file, (await rivya.create({ model: "hailuo-pro", prompt: "Two swans part" })).id);
  }
  const { result } = await rivya.finished(readFileSync(file, "utf8"));
  writeFileSync(`${STATE_DIR}/video.mp4`, await download(result.urls[0]));
} catch (error) {
  console.error(`${error}`);
  process.exitCode = 1;
}
