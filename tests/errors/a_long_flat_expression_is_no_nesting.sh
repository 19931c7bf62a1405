. tests/lib.sh
{ printf 'x = 0'; many 15000 ' + 1'; printf '\nprint(x)\n'; } | wants 0 15000 -
{ printf 'x = ['; many 15000 '1, '; printf ']\nprint(sum(x))\n'; } | wants 0 15000 -
