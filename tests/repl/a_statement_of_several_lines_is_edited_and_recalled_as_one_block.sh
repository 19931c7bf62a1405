. tests/terminal.sh
terminal 80 24
enters 'fn f(a) {' 'b = a + 1' '' 'b * 2' '}'
sees 'adl> fn f(a) {
...>     b = a + 1
...>
...>     b * 2
...> }
adl>'
enters 'f(3)'
sees 'adl> f(3)
8'
presses Up Up              # the block, the cursor behind its end
sees '8
adl> fn f(a) {
...>     b = a + 1'
presses Up; types '0'      # the line above the bracket
sees '...>  0   b * 2' 
presses BSpace End; types '0'
presses Enter
enters 'f(3)'
sees '80'
enters 'record <' 'y = 3'
sees '...>     y = 3
...>'
enters '>' 'y'             # a blank stands away from its bracket
sees 'y = 3
...> >
adl> y
3'
enters '"""one' '  two'    # text of several lines is left as it is
enters '"""'
sees '"one\n  two\n"'
enters '(1 +' 'x'; presses C-c
sees '...>     x
...>     ^C
adl>'
presses C-p; sees 'adl> """one
...>   two
...> """'
