#!/usr/bin/env bash
# Has its own pauses and does not read Retry-After.
. "$(dirname "$0")/base/acedata.sh"

pause() { sleep "$1$((RANDOM % 10))"; }

make_video
