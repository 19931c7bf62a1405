. tests/lib.sh
{ printf 'x = 0\n'; many 50000 'x += 1; '; printf '\nprint(x)\n'; } | wants 0 50000 -
{ printf 's = "'; many 100000 'abc'; printf '"\nprint(len(s))\n'; } | wants 0 300000 -
