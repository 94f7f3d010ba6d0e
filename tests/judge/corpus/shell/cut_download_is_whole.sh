#!/usr/bin/env bash
# Does not look at the exit code of the download.
. "$(dirname "$0")/base/rivya.sh"

save() {
  fetch
  echo "saved $PWD/video.mp4"
}

make_video
