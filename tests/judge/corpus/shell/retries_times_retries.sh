#!/usr/bin/env bash
# Retries what curl has already retried.
. "$(dirname "$0")/base/rivya.sh"

options+=(--retry 2 --retry-delay 1)
waits=(3.1 4.2 5.3 6.4)
limit_s=25
make_video
