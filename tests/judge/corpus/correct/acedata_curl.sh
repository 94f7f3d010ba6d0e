#!/usr/bin/env bash
# Makes one video on Ace Data Cloud. An order without an answer is left for a person to look at.
set -u
cd "$STATE_DIR" || exit 1
deadline=$((SECONDS + 5))

post() { # post PATH BODY: prints the status; the answer is in answer.json
  curl -s -m 1.5 -o answer.json -D headers.txt -w '%{http_code}' -X POST "$ACEDATA_BASE_URL$1" \
    -H "Authorization: Bearer $ACEDATA_API_TOKEN" -H 'Content-Type: application/json' -d "$2"
}

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  local told
  told=$(sed -n 's/^retry-after: *\([^\r]*\).*/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

wait_or_stop() { # wait_or_stop SECONDS: longer if Retry-After says so
  local told
  told=$(told_s)
  [ "$((SECONDS + ${told:-0}))" -lt "$deadline" ] || { echo 'out of time' >&2; exit 1; }
  sleep "${told:-$1.$((RANDOM % 10))}"
}

if [ ! -e ordered ]; then
  touch ordered
  order='{"action": "generate", "prompt": "Steam over a tea house at dawn", "async": true}'
  for pause in 0 1 2 stop; do
    status=$(post /hailuo/videos "$order") ||
      { echo 'no answer: the order may have been charged' >&2; exit 3; }
    [ "$status" = 429 ] && [ "$pause" != stop ] && ! grep -q used_up answer.json || break
    wait_or_stop "$pause"
  done
  [ "$status" = 200 ] || { echo "refused: $status $(cat answer.json)" >&2; exit 1; }
  jq -er .task_id answer.json >id || { echo 'an answer without id' >&2; exit 3; }
fi
[ -s id ] || { echo 'an earlier order may have been charged; look at it first' >&2; exit 3; }

failures=0
while [ "$SECONDS" -lt "$deadline" ]; do
  rm -f headers.txt
  status=$(post /hailuo/tasks "{\"action\": \"retrieve\", \"id\": \"$(cat id)\"}") || status=000
  case $status in
    200)
      case $(jq -r '.response.success' answer.json 2>/dev/null) in
        true)
          url=$(jq -r '.response.data[0].video_url // empty' answer.json)
          [ -n "$url" ] && break ;;
        false) jq .response.error answer.json >&2; exit 1 ;;
      esac
      sleep 0.3 ;;
    429 | 5?? | 000)
      [ $((failures += 1)) -lt 5 ] || { echo 'too many failed looks' >&2; exit 1; }
      wait_or_stop "$((failures / 2))" ;;
    *) cat answer.json >&2; exit 1 ;;
  esac
done
[ -n "${url:-}" ] || { echo 'not ready in time' >&2; exit 1; }
for pause in 0.2 0.5 1; do
  curl -sf -m 1.5 -o video.mp4 "$url" && exit 0
  sleep "$pause"
done
echo 'the download failed' >&2
exit 1
