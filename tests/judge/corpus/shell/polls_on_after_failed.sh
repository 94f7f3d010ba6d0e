#!/usr/bin/env bash
# Knows no end but success.
. "$(dirname "$0")/base/rivya.sh"

is_ready() { [ "$(jq -r .status answer.json)" = succeeded ] && [ -n "$url" ]; }

make_video
