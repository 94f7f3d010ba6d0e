# The steps of a client that are the same for both APIs.
cd "$STATE_DIR" || exit 1
options=(-s -m 1.5)
limit_s=5

stop() { echo "$1" >&2; exit 1; }

told_s() { # the seconds of Retry-After, which may be a date; empty without one
  told=$(sed -n 's/^retry-after: \(.*\)\r$/\1/ip' headers.txt 2>/dev/null)
  case $told in
    *[!0-9]*) echo $(($(date -d "$told" +%s || echo 9999999999) - $(date +%s))) ;;
    *) echo "$told" ;;
  esac
}

pause() { # pause SECONDS: as long as Retry-After says, if it says so
  told=$(told_s)
  [ "$((SECONDS + ${told:-0}))" -lt "$limit_s" ] || stop 'out of time'
  sleep "${told:-$1$((RANDOM % 10))}"
}

has_time() { [ "$SECONDS" -lt "$limit_s" ]; }

save() { # the video at $url
  for wait in 0.2 0.4 0.8; do
    fetch && exit 0
    sleep "$wait"
  done
  stop 'no video'
}

fetch() { curl -sf -m 1.5 -o video.mp4 "$url"; }
