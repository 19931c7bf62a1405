. tests/lib.sh
wants 0 3 -e 'print(1 + 2)'
wants 1 error -e 'error("x")'
wants 1 error -e 'x = = 1'
wants 2 nosuch.adl nosuch.adl
wants 2 '' --no-such-option
wants 7 '' -e 'exit(7)'
wants 0 '' -e 'exit()'
