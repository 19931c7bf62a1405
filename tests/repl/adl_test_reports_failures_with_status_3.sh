. tests/lib.sh
folder=$(mktemp -d)
printf 'print(1 + 1)  # => 3\n' >"$folder/wrong.adl"
printf 'print(1 + 1)  # => 2\n[1][5]   # !! index\n' >"$folder/right.adl"
wants 3 '1 passed, 1 failed' test "$folder"
wants 3 'wrong.adl:1' test "$folder"
wants 0 '1 passed, 0 failed' test "$folder/right.adl"
wants 2 nosuch test nosuch.adl
wants 2 'tests/run runs all of them' test "$folder/a.sh"
wants 0 '' test "$folder/wrong.adl" --update
wants 0 '2 passed, 0 failed' test "$folder"
rm -rf "$folder"
