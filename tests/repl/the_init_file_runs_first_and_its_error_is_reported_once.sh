. tests/terminal.sh
mkdir -p "$home/.config/adl"; init=$home/.config/adl/init.adl
echo 'fn greet() { "hello" }' >"$init"
terminal 60 12; enters 'greet()'; sees '"hello"'; enters quit; sees 'ended'
terminal 60 12 --no-init; enters 'greet()'; sees 'no variable or function'; enters quit; sees 'ended'
printf 'a = 1\nb = 1 +* 2\n' >"$init"
terminal 60 20; sees 'init.adl:2:'; enters '1 + 1'; sees '2
adl>'
[ "$(screen | grep -c 'init.adl:2')" = 1 ] || { echo 'not reported once'; screen; }
printf 'a = 1\nb = unknown\nc = 2\n' >"$init"
terminal 60 20; sees 'unknown'; enters 'a'; sees '1
adl>'
rm -f "$init"; mkdir "$init"
terminal 60 20; sees 'cannot read'; enters '1 + 1'; sees '2
adl>'
rm -r "$init"; printf 'a = 1; print("init runs")\nwhile true { }\n' >"$init"    # Ctrl-C ends it, and only it
pane kill-server; screens=$((screens + 1)); pane new-session -d -x 60 -y 20 "sh $scratch/start"
sees 'init runs'; presses C-c; sees 'error: interrupted'; sees 'adl>'; enters 'a + 1'; sees '
2
adl>'
