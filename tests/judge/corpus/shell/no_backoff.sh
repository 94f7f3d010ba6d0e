#!/usr/bin/env bash
# Retries at the same short pace, however often it fails.
. "$(dirname "$0")/base/rivya.sh"

waits=(0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1)
make_video
