#!/bin/sh
# Makes one video on Rivya. curl itself retries, with the same key, and obeys Retry-After.
set -eu
cd "$STATE_DIR"
end=$(($(date +%s) + 5))

rivya() {
  curl -sS --fail --max-time 1.5 --retry 2 --retry-max-time 4 --retry-connrefused \
    -H "Authorization: Bearer $RIVYA_API_KEY" "$@" && return
  # 28: timed out, 52 and 56: the connection was lost. The same key makes it safe to ask again.
  case $? in 28 | 52 | 56) sleep 0.3 ;; *) return 1 ;; esac
  curl -sS --fail --max-time 1.5 -H "Authorization: Bearer $RIVYA_API_KEY" "$@"
}

[ -s key ] || openssl rand -hex 16 >key
if [ ! -s id ]; then
  rivya -H "Idempotency-Key: $(cat key)" --json '{"model": "hailuo-pro", "prompt": "Northern lights"}' \
    "$RIVYA_BASE_URL/api/v1/generations" >created.json
  jq -er .id created.json >id
fi

while [ "$(date +%s)" -lt "$end" ]; do
  rivya "$RIVYA_BASE_URL/api/v1/generations/$(cat id)" >task.json
  case $(jq -r .status task.json || echo unreadable) in
    failed) jq .error task.json >&2; exit 1 ;;
    succeeded)
      if url=$(jq -er .result.primary_url task.json); then
        curl -sS --fail --max-time 1.5 --retry 2 --retry-all-errors -o video.mp4 "$url"
        exit 0
      fi ;;
  esac
  sleep 0.3
done
echo 'not ready in time; start me again to go on waiting' >&2
exit 1
