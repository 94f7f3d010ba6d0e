#!/usr/bin/env bash
# Makes the key in the command that is repeated.
. "$(dirname "$0")/base/rivya.sh"

request() {
  curl "${options[@]}" -D headers.txt -o answer.json -w '%{http_code}' \
    -H "Authorization: Bearer $RIVYA_API_KEY" "$@" -H "Idempotency-Key: $(openssl rand -hex 16)"
}

create() {
  send "$api" --json '{"model": "hailuo-pro", "prompt": "Northern lights"}'
  jq -r .id answer.json
}

make_video
