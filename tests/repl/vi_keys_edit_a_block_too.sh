. tests/terminal.sh
printf 'set editing-mode vi\nset show-mode-in-prompt on\n' >"$home/.inputrc"
# vi's keys are single, but Escape and a key at once would be read as Alt: wait for the mode to show
commands() { presses Escape; sees "(cmd)adl> $1"; }
terminal 60 12
types 'alphx = 3'; commands 'alphx = 3'; types '0fxra'; sees '(cmd)adl> alpha = 3'
presses Enter; sees '(ins)adl>'; enters 'alpha'; sees '(ins)adl> alpha
3'
enters 'fn f(x) {' 'x + 1'; types '}'; sees '...> }'; commands 'fn f(x) {'
types 'kA'; sees '(ins)adl> fn f'; types '0'; sees '...>     x + 10'     # up, in the block
commands 'fn f(x) {'; presses Enter; sees '...> }
(ins)adl>'; enters 'f(1)'; sees '11'
presses Escape; sees '11
(cmd)adl>'; types 'kk'; sees '11
(cmd)adl> fn f(x) {
...>     x + 10'                             # the block before
types 'jI'; sees '11
(ins)adl> fn'; types '2 * '; sees '...>     2 * x + 10'
presses C-c; sees '^C'
