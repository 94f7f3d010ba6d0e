#!/usr/bin/env bash
# Makes one video on Ace Data Cloud and saves it.
cd "$STATE_DIR" || exit 1

stop() { echo "$1" >&2; exit 1; }

post() { # post PATH BODY: prints the status; the answer is in answer.json
  curl -s -m 1.5 --retry 3 --retry-all-errors -D headers.txt -o answer.json -w '%{http_code}' "$ACEDATA_BASE_URL$1" \
    -H "Authorization: Bearer $ACEDATA_API_TOKEN" --json "$2"
}

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  told=$(sed -n 's/^retry-after: \(.*\)\r$/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

pause() { # pause SECONDS: as long as Retry-After says, if it says so
  told=$(told_s)
  [ "$((SECONDS + ${told:-0}))" -lt 5 ] || stop 'out of time'
  sleep "${told:-$1$((RANDOM % 10))}"
}

if [ ! -e id ]; then
  touch id
  order='{"action": "generate", "prompt": "Steam over a tea house", "async": true}'
  for wait in 0.2 0.4 0.8 1.6; do
    status=$(post /hailuo/videos "$order") || stop 'no answer'
    [ "$status" = 429 ] && ! grep -q used_up answer.json || break
    pause "$wait"
  done
  [ "$status" = 200 ] || stop "refused: $(cat answer.json)"
  jq -r .task_id answer.json >id
fi
[ -s id ] || stop 'perhaps ordered by an earlier run'

failures=0
url=
while [ -z "$url" ] && [ "$SECONDS" -lt 5 ]; do
  status=$(post /hailuo/tasks "{\"action\": \"retrieve\", \"id\": \"$(cat id)\"}") || status=000
  case $status in
    200)
      [ "$(jq .response.success answer.json)" != false ] || stop "failed: $(jq .response.error answer.json)"
      url=$(jq -r '.response.data[0].video_url // empty' answer.json)
      [ -n "$url" ] || sleep 0.3 ;;
    429 | 000 | 5??)
      failures=$((failures + 1))
      [ "$failures" -lt 5 ] || stop 'no answer'
      pause "0.$failures" ;;
    *) stop "cannot look: $(cat answer.json)" ;;
  esac
done
[ -n "$url" ] || stop 'not ready in time'
for wait in 0.2 0.4 0.8; do
  curl -sf -m 1.5 -o video.mp4 "$url" && exit 0
  sleep "$wait"
done
stop 'no video'
