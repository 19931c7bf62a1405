. tests/terminal.sh
terminal 60 12
types 'fn f(x) { sin(x) + 1.5 }'
sees_in_colour '~[35mfn~[0m'                 # a keyword
sees_in_colour '~[36msin'                     # a name of the library
sees_in_colour '~[33m1.5'
sees_in_colour '~[1;7m{'; sees_in_colour '~[1;7m}'     # the bracket before the cursor, and its partner
presses C-a C-k; types 's = "red'; sees_in_colour '~[32m"red'   # an open string is a string
types '" # why'; sees_in_colour '~[90m# why'
presses C-a C-k; types 'f(1]'; sees_in_colour '~[31m]'  # what closes nothing
presses Enter; sees 'f(1]'; sees 'adl>'
enters 'wide = "表表α"'; types 'x + 1'; sees 'adl> x + 1'
presses C-c; sees '^C'; presses C-l; presses C-r; types 'wide'; sees 'reverse-i-search)`wide'
sees 'wide = "表表α"'
lacks_in_colour '~[32m"'                     # a search has no colours
presses C-g; presses C-a C-k
enters 'fn g(y) {' 'y * 2'
types '}'
resizes 30 12; sees 'adl> fn g(y) {
...>     y * 2
...> }'
types ' # a remark that needs two rows'; sees '...> } # a remark that needs t
wo rows'
resizes 60 12; sees '...> } # a remark that needs two rows'
sees_in_colour '~[90m# a remark'
presses C-l; sees_in_colour '~[90m# a remark'; lacks 'adl 0.1'
presses Enter; enters 'g(4)'; sees 'adl> g(4)
8'
types 'g(' ; presses Enter; sees '...>'; presses Up Left
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do presses M-Enter; done
sees 'rows above'                            # taller than the screen: a window, without colours
lacks_in_colour '~[36mg'
presses C-c; sees '^C
adl>'
settings=NO_COLOR=1 ; terminal 60 12
types 'if true { 1 }'; sees 'true { 1 }'; lacks_in_colour '~['
settings=TERM=dumb; terminal 60 12
enters 'fn f(x) {' 'x + 1'; types '}'; sees '...> }'; presses Enter
enters 'f(2'; presses C-c; sees '^C
adl>'; enters 'f(3)'; sees '4
adl>'
lacks_in_colour '~['
settings= ; terminal 70 12                   # the signs of record are brackets, those that compare are none
types 'record < y = (a > b) > b >'; sees_in_colour '~[1;7m<'; sees_in_colour 'b ~[1;7m>'
[ "$(coloured | grep -o '7m[<>]' | wc -l)" = 2 ] || { echo 'more than two'; coloured; }
presses C-a C-k; types 'record(train = false) < y = 2 * x >'; sees_in_colour '7m<'
presses C-a C-k; types 'a < b >'; sees 'a < b >'; lacks_in_colour '7m<'
