file=$(mktemp -d)/graph.png
trap 'rm -rf "${file%/*}"' EXIT
case $adl in *sanitize*) exit 0 ;; esac      # what fontconfig keeps for good counts as a leak there
program='x = attach_grad(3); record < y = x * x; f = sin(y) >'
if ! "$adl" -e "$program; graph(f, \"$file\")" 2>"${file%/*}/said"; then
    grep -q 'install Cairo' "${file%/*}/said" || cat "${file%/*}/said"
    [ ! -e "$file" ] || echo 'a file without Cairo'
    echo 'not installed: Cairo'
    exit 77
fi
head -c 8 "$file" | od -An -tx1 | grep -q '89 50 4e 47 0d 0a 1a 0a' || echo 'no PNG'
[ "$(ls "${file%/*}" | wc -l)" -eq 2 ] || echo 'something else was written'
# a larger graph than a picture may be is drawn smaller
"$adl" -e "x = attach_grad(.5); record < y = x; for f in (sin, cos, exp, tanh) * 60 { y = f(y) + x } >; graph(y, \"$file\")" || echo 'a large one'
"$adl" -e "$program; graph(f, \"/nowhere/graph.png\")" 2>&1 | grep -q 'cannot write "/nowhere/graph.png"' || echo 'an unwritable path'
