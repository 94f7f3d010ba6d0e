#!/usr/bin/env bash
# Makes one video on Rivya and saves it. A restart continues the same job.
set -u
cd "$STATE_DIR" || exit 1
end=$((SECONDS + 5))

stop() {
  echo "$1" >&2
  exit 1
}

# pause SECONDS: with up to half as much again, unless the time is up.
pause() {
  local wait_s
  wait_s=$(awk -v s="$1" -v r="$RANDOM" 'BEGIN { print s * (1 + r / 65536) }')
  [ "$((SECONDS + ${wait_s%.*}))" -lt "$end" ] || stop "no time left"
  sleep "$wait_s"
}

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  local told
  told=$(sed -n 's/^retry-after: *\([^\r]*\).*/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

# call METHOD PATH [OPTION]...: the answer is in answer.json.
call() {
  local wait_s status told
  for wait_s in 0.2 0.4 0.8 1.6; do
    status=$(curl -s -m 1.5 -X "$1" -H "Authorization: Bearer $RIVYA_API_KEY" \
      -D headers.txt -o answer.json -w '%{http_code}' "${@:3}" "$RIVYA_BASE_URL$2") || status=000
    case $status in
      2*) jq -e .id answer.json >/dev/null 2>&1 && return ;;
      429 | 500 | 502 | 503 | 504)
        grep -q insufficient_credits answer.json && stop "no credits left"
        told=$(told_s)
        wait_s=${told:-$wait_s} ;;
      000) ;;
      *) stop "refused: $status $(cat answer.json)" ;;
    esac
    pause "$wait_s"
  done
  stop "gave up on $1 $2"
}

[ -s key ] || cat /proc/sys/kernel/random/uuid >key
if [ ! -s id ]; then
  call POST /api/v1/generations -H "Idempotency-Key: $(cat key)" -H 'Content-Type: application/json' \
    -d '{"model": "hailuo-pro", "prompt": "Slow dolly towards a lighthouse at dusk"}'
  jq -r .id answer.json >id
fi
while :; do
  call GET "/api/v1/generations/$(cat id)"
  case $(jq -r .status answer.json) in
    failed) stop "the job failed: $(jq -r .error.message answer.json)" ;;
    succeeded)
      url=$(jq -r '.result.primary_url // empty' answer.json)
      [ -n "$url" ] && break ;;
  esac
  pause 0.3
done
for wait_s in 0.2 0.4 0.8; do
  curl -sf -m 1.5 -o video.mp4 "$url" && exit 0
  pause "$wait_s"
done
stop "the download failed"
