#!/usr/bin/env bash
# Has no time limit for a request.
. "$(dirname "$0")/base/rivya.sh"

options=(-s)
make_video
