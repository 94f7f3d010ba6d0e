#!/usr/bin/env bash
# The correct client of which others replace a step, as it is.
. "$(dirname "$0")/base/rivya.sh"

make_video
