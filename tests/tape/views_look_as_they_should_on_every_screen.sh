# tests/tape/lib/NAME.adl at 60, 80 and 120 columns, and in colour, against NAME.60.txt and so on. The files are
# written by `UPDATE=1 adl=build/adl sh tests/tape/views_look_as_they_should_on_every_screen.sh`: read the difference.
unset NO_COLOR
check() {   # check FILE SUFFIX COLUMNS COLOUR
    golden=tests/tape/lib/$1.$2.txt
    if [ -n "$UPDATE" ]; then COLUMNS=$3 "$adl" --color="$4" "tests/tape/lib/$1.adl" >"$golden" 2>&1; return; fi
    COLUMNS=$3 "$adl" --color="$4" "tests/tape/lib/$1.adl" 2>&1 | diff "$golden" - >/tmp/adl_view.$$ ||
        { echo "$1 at $3 columns, colour $4:"; head -n 12 /tmp/adl_view.$$; }
    case $1 in adjoint_*) return ;; esac    # source text is as long as it is
    widest=$(COLUMNS=$3 "$adl" "tests/tape/lib/$1.adl" 2>&1 | LC_ALL=C.UTF-8 wc -L)
    [ "$widest" -le "$3" ] || echo "$1 at $3 columns: a line of $widest"
}
for file in tests/tape/lib/*.adl; do
    name=$(basename "$file" .adl)
    for columns in 60 80 120; do check "$name" "$columns" "$columns" never; done
    check "$name" colour 80 always
done
rm -f /tmp/adl_view.$$
