# tests/tape/lib/NAME.adl at 60, 80 and 120 columns, and in colour, against NAME.60.txt and so on; what it asks
# is answered by NAME.in. The files are written by
#     UPDATE=1 adl=build/adl sh tests/tape/views_look_as_they_should_on_every_screen.sh
# Read the difference before you believe it.
unset NO_COLOR
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
shows() {   # shows NAME COLUMNS COLOUR
    input=tests/tape/lib/$1.in
    [ -f "$input" ] || input=/dev/null
    COLUMNS=$2 "$adl" --color="$3" "tests/tape/lib/$1.adl" <"$input" 2>&1
}
# Times differ from run to run, and with them the order of the rows, the widths of the columns, and whether
# profile calls the time short.
masked() {
    case $1 in
        profile_*) awk '/^$/ && !rows { print text; rows = 1 } rows { print; next } { text = text " " $0 }' |
            sed -E 's/[0-9.]+ (ns|µs|ms|s)([^a-z]|$)/TIME\2/g; s/takes [0-9.]+ times/takes N times/
                    s/  +/  /g; s/^ +//; s/ So short a time [^.]*[.]//' | LC_ALL=C sort ;;
        *) cat ;;
    esac
}
check() {   # check NAME SUFFIX COLUMNS COLOUR
    golden=tests/tape/lib/$1.$2.txt
    shows "$1" "$3" "$4" >"$scratch/shown"
    masked "$1" <"$scratch/shown" >"$scratch/masked"
    if [ -n "$UPDATE" ]; then cp "$scratch/masked" "$golden"; return; fi
    diff "$golden" "$scratch/masked" >"$scratch/diff" ||
        { echo "$1 at $3 columns, colour $4:"; head -n 12 "$scratch/diff"; }
    case $1/$4 in adjoint_*|derive_*|*/always) return ;; esac    # source text is as long as it is
    widest=$(LC_ALL=C.UTF-8 wc -L <"$scratch/shown")
    [ "$widest" -le "$3" ] || echo "$1 at $3 columns: a line of $widest"
}
for file in tests/tape/lib/*.adl; do
    name=$(basename "$file" .adl)
    for columns in 60 80 120; do check "$name" "$columns" "$columns" never; done
    check "$name" colour 80 always
done
