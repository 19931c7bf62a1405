# A full disk must not look like success, even where the text stays in a buffer until the end.
$adl -e 'print("lost")' >/dev/full 2>/dev/null; status=$?
[ $status -eq 74 ] || echo "status $status instead of 74"
