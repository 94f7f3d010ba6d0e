#!/usr/bin/env bash
# Follows redirects with --location-trusted.
. "$(dirname "$0")/base/rivya.sh"

options+=(--location-trusted)
make_video
