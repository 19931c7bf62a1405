. tests/lib.sh
{ printf 'x = 0'; many 20000 ' + 1'; printf '\nprint(x)\n'; } | wants 0 20000 -
{ printf 'x = ['; many 20000 '1, '; printf ']\nprint(sum(x))\n'; } | wants 0 20000 -
