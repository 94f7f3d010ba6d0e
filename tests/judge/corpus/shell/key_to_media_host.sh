#!/usr/bin/env bash
# Sends the key with every request, also to the host of the video.
. "$(dirname "$0")/base/rivya.sh"

fetch() { curl -sf -m 1.5 -H "Authorization: Bearer $RIVYA_API_KEY" -o video.mp4 "$url"; }

make_video
