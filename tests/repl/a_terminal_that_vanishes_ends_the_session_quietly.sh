. tests/terminal.sh
terminal 60 12
enters 'kept = 1' 'for i in range(1e9) { kept = i }'
process=$(pane display-message -p '#{pane_pid}'); child=$(ps -o pid= --ppid "$process" | tr -d ' ')
pane kill-server
tries=0
while kill -0 "$child" 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries + 1)); sleep 0.1; done
[ $tries -lt 100 ] || echo "adl still runs 10 s after its terminal has gone"
gives 'kept = i' cat "$home/.local/state/adl/history"
terminal 60 12
enters 'x = ('; child=$(ps -o pid= --ppid "$(pane display-message -p '#{pane_pid}')" | tr -d ' ')
kill -TERM "$child"; sees 'ended with 143'
