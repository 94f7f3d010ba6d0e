#!/usr/bin/env bash
# Keeps nothing: a restart orders again.
. "$(dirname "$0")/base/rivya.sh"

kept() { "${@:2}" >"$1"; }

make_video
