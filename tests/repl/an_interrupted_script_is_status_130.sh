. tests/lib.sh
timeout --preserve-status -s INT 0.5 "$adl" -e 'while true { }' 2>/dev/null
status=$?
[ $status -eq 130 ] || echo "status $status, not 130"
timeout --preserve-status -s INT 0.5 "$adl" -e 'x = ones(1000, 1000); while true { x = x @ x * 0 }' 2>/dev/null
status=$?
[ $status -eq 130 ] || echo "status $status in a matrix product, not 130"
