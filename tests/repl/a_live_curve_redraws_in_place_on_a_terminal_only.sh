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
