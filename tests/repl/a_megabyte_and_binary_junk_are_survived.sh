. tests/lib.sh; . tests/terminal.sh
# junk BYTES: the same in every run; the keys that end or stop a session are left out
junk() {
    LC_ALL=C awk -v n="$1" 'BEGIN { x = 7; while (n--) { x = x * 16807 % 2147483647; printf "%c", 1 + int(x / 65536) % 255 } }' |
        LC_ALL=C tr -d '\003\004\032\034\021\023\025\026\033' >"$scratch/paste"
    pane load-buffer "$scratch/paste"
}
terminal 60 12
{ printf 'x = ['; many 300000 '1, '; printf '1]'; } >"$scratch/paste"
pane load-buffer "$scratch/paste"; pane paste-buffer -p
sees 'rows above'; presses Enter; sees 'adl>'; enters 'size(x)'; sees '300001'
junk 20000; pane paste-buffer -p -r; presses Enter; sees 'E0109'        # bytes that are no text
presses C-c; sees 'adl> ^C'; enters '20 + 3'; sees '23
adl>'
pastes 'y = "\001\002\tz"'; sees 'y = "^A^B    z"'; presses Enter; enters 'len(y)'; sees '
4
adl>'
junk 3000; pane paste-buffer -r                                         # as keys
tries=0
until holds '
33
adl>'; do
    presses C-g C-c; enters '30 + 3'; sleep 0.1
    tries=$((tries + 1)); [ $tries -lt $patience ] || { echo 'not survived:'; screen; exit 1; }
done
