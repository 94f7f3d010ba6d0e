#!/usr/bin/env bash
# Appends to a part, also if the server sends the whole again.
. "$(dirname "$0")/base/rivya.sh"

fetch() {
  have=$(stat -c %s video.mp4 2>/dev/null || echo 0)
  curl -sf -m 1.5 -H "Range: bytes=$have-" "$url" >>video.mp4
}

make_video
