. tests/lib.sh
printf 'x = (1,\n' | wants 1 error -
