. tests/lib.sh
printf 'x = "\377\376"\n' | wants 1 UTF-8 -
printf 'x = 1 \200\n' | wants 1 error -
printf '\300\257' | wants 1 error -
printf 'x = \355\240\200\n' | wants 1 error -
