. tests/lib.sh
printf 'x = 1\000\n' | wants 1 error -
printf 'x = \001\n' | wants 1 error -
