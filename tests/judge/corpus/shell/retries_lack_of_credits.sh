#!/usr/bin/env bash
# Retries 403 like 429, also if the credits are used up.
. "$(dirname "$0")/base/acedata.sh"

may_order_again() { [ "$status" = 429 ] || [ "$status" = 403 ]; }

make_video
