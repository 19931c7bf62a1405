. tests/lib.sh
wants 1 more -e 'fn fact(n) { n * fact(n - 1) }; fact(3)'
