. tests/lib.sh
[ -w /dev/full ] || exit 0
"$adl" -e 'print(1)' >/dev/full 2>/dev/null
status=$?
[ $status -eq 74 ] || echo "status $status, not 74"
