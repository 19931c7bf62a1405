. tests/lib.sh
text=$("$adl" -e 'print([1, 2]); x = [1, 2] + [1, 2, 3]' 2>&1 | tr -cd '\033')
[ -z "$text" ] || echo "escape bytes in a pipe"
