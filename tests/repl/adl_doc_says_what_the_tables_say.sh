. tests/lib.sh
wants 0 "by x: g @ y'"                           doc matmul
wants 0 'by y: g * x'                            doc '*'
wants 0 'by x: g * (1 - r * r)'                  doc tanh
wants 0 'Derivative: 0 everywhere'               doc floor
wants 0 'mean(x, axis = nil'                     doc mean
wants 0 'g where x equals r, shared evenly'      doc max
wants 0 'two arrays that do not broadcast'       doc E0301
wants 0 'w is [2, 3], from line 1'               doc '?e0301'
wants 0 'subgradient of least norm'              doc kinks
wants 0 'maximum(x, 0) at 0'                     doc kinks
wants 0 'attach_grad(x) gives x a slot'          doc record
wants 0 'abs(x)'                                 doc abs relu
wants 0 'relu(x)'                                doc abs relu
wants 0 '--sandbox'                              doc options
wants 2 'did you mean matmul?'                   doc matmull
wants 2 'nothing about'                          doc nosuchthing
# The whole manual: every operation that can be called, every message, no escape byte, no line past its width.
manual=$("$adl" doc)
for name in add matmul conv2d sort rand print attach_grad mean 'E0101' 'W0103'; do
    printf '%s\n' "$manual" | grep -q "^$name[(:]" || echo "the manual has no $name"
done
[ -z "$(printf '%s' "$manual" | tr -cd '\033')" ] || echo "escape bytes in a pipe"
page=$("$adl" doc --html)
for name in $(grep -o '^ELEM[12](\([a-z0-9_]*\), *\(CALL\|"[^"]\)' runtime/ops.def | sed 's/.*(//; s/,.*//') \
            $(grep -o '^BUILTIN([a-z0-9_]*' lang/builtins.def | sed 's/.*(//') $(grep -o '^MESSAGE([EW0-9]*' lang/errors.def | sed 's/.*(//'); do
    case $page in *"<article id=\"$name\">"*) ;; *) echo "the page has no $name" ;; esac
done
case $page in *'http://'*|*'https://'*|*'src='*) echo "the page needs something else" ;; esac
wants 0 'with .name, else or catch. ; separates'   doc    # a line that begins with code goes on
case $("$adl" doc E0501) in E0501:*) ;; *) echo "an example of a message prints" ;; esac
