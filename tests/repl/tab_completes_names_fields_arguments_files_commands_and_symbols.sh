. tests/terminal.sh
mkdir "$home/data"; : >"$home/data/two words.csv"; : >"$home/helper.adl"
terminal 80 24
enters 'weights = [1, 2]' 's = {weight: [1, 2], bias: {low: 0}}' 'fn scale(x, factor = 2) { x * factor }'
types 'weigh'; presses Tab; sees 'adl> weights'; presses C-u
types 'logs'; presses Tab; sees 'adl> logsumexp('                 # a function gets its bracket
presses C-u; types 'sin'; presses Tab
sees 'sin   operation  sine of an angle in radians'           # kind and one line
sees 'sinh  operation  hyperbolic sine'
presses C-u; types 's.we'; presses Tab; sees 'adl> s.weight'
types '.cums'; presses Tab; sees 's.weight.cumsum('             # methods behind a dot
presses C-u; types 's.bias.'; presses Tab; sees 's.bias.low'
presses C-u; types 'sum(s.weight, kee'; presses Tab; sees 'sum(s.weight, keepdims ='
presses C-u; types 'scale(1, fac'; presses Tab; sees 'scale(1, factor ='
presses C-u; types 'scale('; presses Tab; sees 'factor =   argument'
presses C-u; types 'read_csv("da'; presses Tab; sees 'read_csv("data/'; presses Tab; sees '"data/two words.csv'
presses C-u; types ':ty'; presses Tab; sees 'adl> :type'; presses C-u
types ':load hel'; presses Tab; sees ':load helper.adl'; presses C-u
types ':set dig'; presses Tab; sees ':set digits'; presses C-u
types '\alpha'; presses Tab; types '\_1'; presses Tab; types ' = 4'; presses Enter; sees 'adl> α₁ = 4'
types 'α'; presses Tab; sees 'adl> α₁'; presses C-u
types 'import hel'; presses Tab; sees 'import helper'; presses C-u
types 'whi'; presses Tab; sees 'adl> while'; presses C-u
enters 'fn g(first_one) {'; types 'first'; presses Tab; sees '...>     first_one'; presses C-c   # what is being written
sees '^C'; types '# sin'; presses Tab; types 'k'; sees '# sink'; presses C-c; sees 'sink^C'            # not in a comment
types '?tan'; presses Tab; sees 'tanh'; presses C-u
resizes 20 10; sees 'adl>'; types 'ar'; presses Tab; sees 'arange'; sees 'adl> ar'
