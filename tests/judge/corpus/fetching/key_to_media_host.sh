#!/usr/bin/env bash
# Makes one video on Rivya and saves it.
cd "$STATE_DIR" || exit 1
api=$RIVYA_BASE_URL/api/v1/generations

stop() { echo "$1" >&2; exit 1; }

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  told=$(sed -n 's/^retry-after: \(.*\)\r$/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

send() { # send CURL-OPTION...: the answer is in answer.json
  for wait in 0.2 0.4 0.8 1.6; do
    status=$(curl -s -m 1.5 -D headers.txt -o answer.json -w '%{http_code}' \
      -H "Authorization: Bearer $RIVYA_API_KEY" "$@") || status=000
    case $status in
      200) jq -e .id answer.json >/dev/null 2>&1 && return ;;
      429 | 000 | 5??) grep -qs insufficient_credits answer.json && stop 'no credits' ;;
      *) stop "refused: $(cat answer.json)" ;;
    esac
    told=$(told_s)
    [ "$((SECONDS + ${told:-0}))" -lt 5 ] || stop 'out of time'
    sleep "${told:-$wait$((RANDOM % 10))}"
  done
  stop 'no answer'
}

[ -s key ] || openssl rand -hex 16 >key
if [ ! -s id ]; then
  send "$api" -H "Idempotency-Key: $(cat key)" --json '{"model": "hailuo-pro", "prompt": "Northern lights"}'
  jq -r .id answer.json >id
fi
while [ "$SECONDS" -lt 5 ]; do
  send "$api/$(cat id)"
  url=$(jq -r '.result.primary_url // empty' answer.json)
  case $(jq -r .status answer.json) in
    failed) stop "failed: $(jq -r .error answer.json)" ;;
    succeeded) [ -n "$url" ] && break ;;
  esac
  sleep 0.3
done
[ -n "$url" ] || stop 'not ready in time'
for wait in 0.2 0.4 0.8; do
  curl -sf -m 1.5 -H "Authorization: Bearer $RIVYA_API_KEY" -o video.mp4 "$url" && exit 0
  sleep "$wait"
done
stop 'no video'
