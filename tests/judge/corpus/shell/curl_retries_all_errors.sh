#!/usr/bin/env bash
# Lets curl repeat a POST after any error.
. "$(dirname "$0")/base/acedata.sh"

options+=(--retry 3 --retry-all-errors)
make_video
