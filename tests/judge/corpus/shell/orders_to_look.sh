#!/usr/bin/env bash
# Sends its order again to see whether the video is ready.
. "$(dirname "$0")/base/acedata.sh"

look() { post /hailuo/videos "$order"; }

response=
look_every_s=1
make_video
