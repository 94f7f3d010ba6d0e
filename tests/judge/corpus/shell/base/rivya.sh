# Makes one video on Rivya and saves it, with curl. A program redefines the step that it gets wrong.
. "${BASH_SOURCE[0]%/*}/both_apis.sh"
api=$RIVYA_BASE_URL/api/v1/generations
waits=(0.2 0.4 0.8 1.6)

make_video() {
  kept key openssl rand -hex 16
  kept id create
  wait_for_video
  save
}

kept() { # kept NAME COMMAND...: runs it, unless an earlier run has kept what it prints
  [ -s "$1" ] || "${@:2}" >"$1"
}

create() {
  send "$api" -H "Idempotency-Key: $(cat key)" --json '{"model": "hailuo-pro", "prompt": "Northern lights"}'
  jq -r .id answer.json
}

wait_for_video() { # sets url
  while has_time; do
    send "$api/$(cat id)"
    url=$(jq -r '.result.primary_url // empty' answer.json)
    is_ready && return
    sleep 0.3
  done
  stop 'not ready in time'
}

is_ready() {
  case $(jq -r .status answer.json) in
    failed) stop "failed: $(jq -r .error answer.json)" ;;
    succeeded) [ -n "$url" ] ;;
    *) false ;;
  esac
}

send() { # send CURL-OPTION...: the answer is in answer.json
  for wait in "${waits[@]}"; do
    status=$(request "$@") || status=000
    case $status in
      200) [[ $(<answer.json) == *'"id"'* ]] && return ;;
      429 | 000 | 5??) grep -qs insufficient_credits answer.json && stop 'no credits' ;;
      *) refused ;;
    esac
    pause "$wait"
  done
  stop 'no answer'
}

request() { # request CURL-OPTION...: prints the status
  curl "${options[@]}" -D headers.txt -o answer.json -w '%{http_code}' \
    -H "Authorization: Bearer $RIVYA_API_KEY" "$@"
}

refused() { stop "refused: $(cat answer.json)"; }
