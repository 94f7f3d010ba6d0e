#!/usr/bin/env bash
# Retries whatever was not answered with 200.
. "$(dirname "$0")/base/rivya.sh"

refused() {
  case $status in 40[1-9]) stop "refused: $(cat answer.json)" ;; esac
}

make_video
