. tests/lib.sh; . tests/terminal.sh
terminal 60 12
{ printf 'x = ['; many 300000 '1, '; printf '1]'; } >"$scratch/paste"
pane load-buffer "$scratch/paste"; pane paste-buffer -p
sees 'rows above'; presses Enter; sees 'adl>'; enters 'size(x)'; sees '300001'
head -c 20000 /dev/urandom | tr -d '\000\003\004\032\034\021\023\025\026\033' >"$scratch/paste"
pane load-buffer "$scratch/paste"; pane paste-buffer -p -r; presses Enter; sees "E0109"
presses C-c; enters '20 + 3'; sees '23
adl>'
pastes 'y = "\001\002\tz"'; sees 'y = "^A^B    z"'; presses Enter; enters 'len(y)'; sees '
4
adl>'
head -c 3000 /dev/urandom | tr -d '\003\004\032\034\021\023' >"$scratch/paste"      # as keys
pane load-buffer "$scratch/paste"; pane paste-buffer -r; presses C-c; presses C-c; presses Escape; presses C-c
enters ''; enters '30 + 3'; sees '33'
