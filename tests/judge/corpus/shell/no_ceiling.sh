#!/usr/bin/env bash
# Waits for its job without any limit.
. "$(dirname "$0")/base/acedata.sh"

has_time() { true; }

make_video
