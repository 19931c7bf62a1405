. tests/terminal.sh
text=$("$adl" -e 's = 0; for i in progress(range(5)) { s += i; sleep(.1) }; print(s)' 2>&1)
[ "$text" = 10 ] || echo "to a pipe: $text"
terminal 60 12
enters 'for i in progress(range(300)) { sleep(.01); if i == 40 { print("in between") } }'
sees '% ['; sees '/300'; sees ' left'; sees 'in between'; presses C-c
sees 'interrupted'; lacks '/300'             # the line goes away
enters 'n = 0; for c in progress("abc") { n += 1 }; n'; sees '
3
adl>'
enters 'for k in progress((1, 2)) { for i in progress(range(200)) { sleep(.02) } }'; sees '1/2 > '; presses C-c
sees 'every variable'
enters 'f = () -> { for i in progress(range(3)) { if i == 1 { return "early" } } }; f()'; sees '"early"'
resizes 20 12; enters 'for i in progress(range(300)) { sleep(.01) }'; sees '/300'; presses C-c; sees 'interrupted'
