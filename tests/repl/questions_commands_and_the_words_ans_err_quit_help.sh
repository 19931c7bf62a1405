. tests/terminal.sh
settings=EDITOR=$scratch/editor; terminal 90 34
enters '[1, 2] * 2' 'ans + 1'; sees '[3, 5]'
enters 'x = 5;' 'ans'; sees 'adl> ans
[3, 5]'                                      # an assignment shows nothing, so ans stays
enters 'unknown' 'err.message' 'err.kind'; sees 'no variable or function `unknown`"'; sees '"name"'
presses C-l; enters '?tanh'
sees 'tanh(x)'; sees 'Hyperbolic tangent'; sees 'Derivative'; sees '1 - r * r'; sees 'tanh(0)'; sees 'See also'
presses C-l; enters '?@' ; sees 'matmul(x, y)'; sees "g @ y'"
presses C-l; enters '?E0301'; sees 'they broadcast'
presses C-l; enters '?record'; sees 'backward(f)'
enters '## Twice x.' '## example: twice(2)  => 4' 'fn twice(x) { 2 * x }'
presses C-l; enters '?twice'; sees 'Twice x.'; sees 'Defined at adl['; sees 'adl> twice(2)'
enters '?tanhh'; sees 'did you mean ?tanh'
presses C-l; enters '??root'; sees 'sqrt'; sees 'cbrt'; enters '??xyzzy'; sees 'nothing mentions'
presses C-l; enters 'help'; sees ':bench CODE'; sees 'Ctrl-R'
presses C-l; enters 'w = attach_grad([1, 2])' ':vars'; sees 'w      f64 [2]   [1, 2]  # gradient slot'
sees 'twice  function'
enters ':mem'; sees '1 gradient slot'
enters '?:bench'; sees ':bench CODE           runs for about a second'
enters ':time sum([1, 2])'; sees '
3
# '; sees 'allocations'
enters ':bench 1 + 1'; sees 'a run; '
enters ':type w * 1'; sees 'array, f64 [2]'; enters ':ty 3'; sees 'number'
printf 'loaded = 7\nprint("hello")\n' >"$home/some file.adl"; printf 'value = 1\n' >"$home/part.adl"
presses C-l; enters ':load some file.adl' 'loaded'; sees 'hello
adl> loaded
7'
enters 'import part' 'part.value'; sees '
1'; printf 'value = 2\n' >"$home/part.adl"
presses C-l; enters ':reload' 'part.value'; sees 'reloaded'; sees 'hello'; sees '
2'
enters ':save session.adl'; sees 'wrote session.adl'; gives 'fn twice(x) { 2 * x }' cat "$home/session.adl"
enters ':save session.adl'; sees 'is there already'
presses C-l; enters ':set digits 3' '[pi, 1]' ':set digits'; sees '[3.14, 1]'; sees '
3
adl>'
enters ':set digit 3'; sees 'did you mean :set digits'; enters ':set digits many'; sees 'takes a whole number'
presses C-l; enters ':tpye 3' ':' ':x y z'; sees 'did you mean :type'; sees 'no command `:x`'
enters ':vars now'; sees 'takes nothing'
presses C-l; enters ':reset' 'w'; sees 'forgotten'; sees 'no variable or function `w`'
printf '#!/bin/sh\necho "edited = 8; edited + 1" >"$1"\n' >"$scratch/editor"; chmod +x "$scratch/editor"
enters "env(\"EDITOR\")" ':edit'; sees 'edited + 1
9'
enters 'quit = 3' 'quit'; sees 'adl> quit
3'                                           # a variable; other words still leave
presses C-l; enters 'exit = 4' 'exit' ':q'; sees 'ended with 0'
terminal 60 12; enters 'exit(3)'; sees 'ended with 3'
terminal 60 12; enters 'quit'; sees 'ended with 0'
