#!/usr/bin/env bash
# Makes one video on Rivya. One curl looks at the credits and orders on the same connection. If that
# connection has gone stale, curl itself sends the order once more, with the same key.
set -eu
cd "$STATE_DIR"
base=$RIVYA_BASE_URL/api/v1
auth="Authorization: Bearer $RIVYA_API_KEY"
end=$((SECONDS + 5))

[ -s key ] || openssl rand -hex 12 >key

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  local told
  told=$(sed -n 's/^retry-after: *\([^\r]*\).*/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

order() {
  curl --fail-early -sf -m 1.5 -H "$auth" -D headers.txt -o credits.json -w '%{http_code} ' "$base/credits" \
    --next -s -m 1.5 -X POST -H "$auth" -H "Idempotency-Key: $(cat key)" \
    -H 'Content-Type: application/json' -d '{"model": "hailuo-pro", "prompt": "A lighthouse keeper reads"}' \
    -D headers.txt -o created.json -w '%{http_code}' "$base/generations"
}

for pause in 0.3 0.7 1.4 2.8; do
  [ -s id ] && break
  [ $SECONDS -lt $end ] || { echo 'no time left' >&2; exit 1; }
  statuses=$(order) || [ "$statuses" != "200 000" ] || statuses=lost
  case ${statuses##200 } in
    200*) jq -er .id created.json >id && break ;;
    429* | 5??*)
      grep -qs insufficient_credits created.json && { echo 'no credits' >&2; exit 1; }
      told=$(told_s)
      case $told in
        '') ;;
        [1-4]) pause=$told ;;
        *) echo "refused until $told" >&2; exit 1 ;;
      esac ;;
    '' | lost | 000*) ;;
    *) echo "refused: $statuses" >&2; exit 1 ;;
  esac
  sleep "$pause"
done
[ -s id ] || { echo 'not ordered' >&2; exit 1; }

misses=0
while [ $SECONDS -lt $end ]; do
  curl -s -m 1.5 -H "$auth" -o task.json -D headers.txt "$base/generations/$(cat id)" || echo >task.json
  case $(jq -r '.status // .error.code // "unclear"' task.json 2>/dev/null || echo unclear) in
    succeeded)
      url=$(jq -r '.result.primary_url // empty' task.json)
      [ -n "$url" ] && curl -sf -m 1.5 --retry 2 --retry-all-errors -o video.mp4 "$url" && exit 0
      sleep 0.5 ;;
    failed) jq -r .error.message task.json >&2; exit 1 ;;
    rate_limited) [ "$(told_s)" -lt 5 ] || exit 1; sleep "$(told_s)" ;;
    unclear | internal_error | public_api_disabled)
      misses=$((misses + 1))
      [ $misses -lt 5 ] || { echo 'five looks failed' >&2; exit 1; }
      sleep "0.$((misses * 2))$((RANDOM % 9))" ;;
    not_found | api_* | validation_failed) cat task.json >&2; exit 1 ;;
    *) sleep 0.3 ;;
  esac
done
echo 'not ready in time' >&2
exit 1
