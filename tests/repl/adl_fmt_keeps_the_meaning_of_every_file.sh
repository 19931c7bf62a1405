. tests/lib.sh
# Every .adl file of the repository that parses is laid out afresh. fmt itself compares tokens, comments and
# trees before and after, and says "would have changed" otherwise; a second time must change nothing; and the
# tests of the language, laid out afresh, pass as they did.
copy=$(mktemp -d)
tar cf - $(find tests examples stdlib -name '*.adl' -o -name '*.out') | tar xf - -C "$copy"
cd "$copy" || exit 1
files=$(find . -name '*.adl' | while read -r file; do "$adl" check "$file" >/dev/null 2>&1; [ $? = 3 ] || echo "$file"; done)
"$adl" fmt $files || echo "fmt ended with status $?"
"$adl" fmt --check $files || echo "laid out otherwise a second time"
said=$("$adl" test tests/lang | tail -n 1)
case $said in *', 0 failed') ;; *) echo "after fmt: $said"; "$adl" test tests/lang | head ;; esac
rm -rf "$copy"
