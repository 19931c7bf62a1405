. tests/terminal.sh
terminal 70 24
pastes 'a = 1\nfn g(x) {\n    x + a\n}\n\ng(2)\na * 10; b = 7\nb\n'
sees '...> b'; lacks '
3'                                           # it waits for Enter, and may still be changed
presses Enter; sees '3
7
adl>'
pastes 'adl> c = [1, 2]\nadl> c * 2\n[2, 4]\nadl> for i in range(2) {\n...>     print(i)\n...> }\n0\n1\nadl> :type c\n'
sees '...> :type c'; lacks '...> [2, 4]'     # prompts and results are gone
presses Enter; sees '[2, 4]
0
1
array, f64 [2]
adl>'
enters 'adl> c.shape'; sees 'adl> c.shape
[2]'
pastes 'd = 4\ne = = 3\n'; presses Enter; sees 'not `=`'; enters 'd'; sees 'no variable or function `d`'
pastes 'd = 5\nunknown\nd = 6\n'; presses Enter; sees 'no variable or function `unknown`'; enters 'd'; sees '
5
adl>'
presses Up Up Up; sees 'adl> d = 5'             # each statement is an entry of its own
