. tests/lib.sh
{ printf 'print('; many 500 '('; printf 7; many 500 ')'; printf ')\n'; } | wants 0 7 -
