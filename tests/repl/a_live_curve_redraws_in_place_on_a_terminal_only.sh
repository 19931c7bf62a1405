. tests/lib.sh
command -v script >/dev/null || exit 0
file=$(mktemp).adl
printf 'start = time()\nwhile time() < start + 0.5 { live(time() - start) }\nlive()\n' >"$file"
[ -z "$("$adl" "$file" | tr -cd '\033')" ] || echo "escape bytes in a pipe"
[ "$("$adl" "$file" | grep -c 'value')" = 1 ] || echo "a pipe sees more than the last picture"
drawn=$(TERM=xterm script -qec "$adl $file" /dev/null | grep -c 'value')
[ "$drawn" -ge 3 ] && [ "$drawn" -le 8 ] || echo "drawn $drawn times in half a second"
TERM=xterm NO_COLOR=1 script -qec "$adl -e 'plot([1, 2])'" /dev/null | grep -q '\[0;38' && echo "colours in spite of NO_COLOR"
rm -f "$file"
. tests/terminal.sh
terminal 60 40                               # at the prompt a statement ends with all of its points drawn
enters 'for i in range(40) { live(i, title = "steps") }'; sees 'steps'; sees '40 │                         '
enters 'live()' ; presses C-l
enters 'for i in range(5) { live(i); if i == 4 { unknown } }'; sees '━ value
error: there is no variable or function `unknown`'
enters '1 + 1'; sees '2
adl>'; enters 'live(7)'; sees 'adl> live(7)'    # and the next picture stands below
sees 'function `unknown`'; sees '2
adl> live(7)'
