# Makes one video on Ace Data Cloud and saves it, with curl. A program redefines the step that it
# gets wrong.
. "${BASH_SOURCE[0]%/*}/both_apis.sh"
order='{"action": "generate", "prompt": "Steam over a tea house", "async": true}'
response=.response
look_every_s=0.3

make_video() {
  if [ ! -e id ]; then
    touch id
    create
    jq -r .task_id answer.json >id
  fi
  [ -s id ] || stop 'perhaps ordered by an earlier run'
  wait_for_video
  save
}

create() {
  for wait in 0.2 0.4 0.8 1.6; do
    status=$(post /hailuo/videos "$order") || stop 'perhaps ordered, so not ordered again'
    may_order_again || break
    pause "$wait"
  done
  [ "$status" = 200 ] || stop "refused: $(cat answer.json)"
}

may_order_again() { # only 429 says that nothing was made
  [ "$status" = 429 ] && ! grep -q used_up answer.json
}

wait_for_video() { # sets url
  failures=0
  url=
  while [ -z "$url" ]; do
    has_time || stop 'not ready in time'
    status=$(look) || status=000
    case $status in
      200)
        [ "$(jq "$response.success" answer.json)" != false ] || stop "failed: $(cat answer.json)"
        url=$(jq -r "$response.data[0].video_url // empty" answer.json)
        [ -n "$url" ] || sleep "$look_every_s" ;;
      429 | 000 | 5??)
        failures=$((failures + 1))
        [ "$failures" -lt 5 ] || stop 'no answer'
        pause "0.$failures" ;;
      *) stop "cannot look: $(cat answer.json)" ;;
    esac
  done
}

look() { post /hailuo/tasks "{\"action\": \"retrieve\", \"id\": \"$(cat id)\"}"; }

post() { # post PATH BODY: prints the status; the answer is in answer.json
  curl "${options[@]}" -D headers.txt -o answer.json -w '%{http_code}' "$ACEDATA_BASE_URL$1" \
    -H "Authorization: Bearer $ACEDATA_API_TOKEN" --json "$2"
}
