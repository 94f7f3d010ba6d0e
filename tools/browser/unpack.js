// Unpacks Chromium from the npm package, with its libraries and fonts, so that it runs without an
// installation. The package's own code would unpack it below /tmp.

import {
  createReadStream,
  createWriteStream,
  chmodSync,
  mkdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createBrotliDecompress } from "node:zlib";
import { extract } from "tar-fs";

const here = import.meta.dirname;
const packed = join(here, "node_modules/@sparticuz/chromium/bin");
const target = join(here, "chromium");

const unpacked = (name, into) =>
  pipeline(createReadStream(join(packed, name)), createBrotliDecompress(), into);

rmSync(target, { recursive: true, force: true });
mkdirSync(target);
await Promise.all([
  unpacked("chromium.br", createWriteStream(join(target, "chromium"))),
  unpacked("al2023.tar.br", extract(target)),
  unpacked("swiftshader.tar.br", extract(target)),
  unpacked("fonts.tar.br", extract(target)),
]);
chmodSync(join(target, "chromium"), 0o755);
writeFileSync(
  join(target, "fonts.conf"),
  `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>${join(target, "fonts")}</dir><cachedir>${join(target, "cache")}</cachedir></fontconfig>
`,
);
