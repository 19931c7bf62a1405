. tests/lib.sh
file=$(mktemp).adl
printf 'w = ones(2, 3)\nx = ones(4)\nfn f(x) { w * x }\ny = f(x)\n' >"$file"
text=$("$adl" --errors=json "$file" 2>&1)
[ "$(printf '%s\n' "$text" | wc -l)" = 1 ] || echo "not one line: $text"
for part in '"severity":"error"' '"kind":"shape"' '"code":"E0301"' '"line":3' '"column":13' '"end_column":14' '"from_line":2' \
            '"call":"f(x = [4])"' "\"file\":\"$file\""; do
    case $text in *"$part"*) ;; *) echo "no $part in $text" ;; esac
done
printf 'x = )\ny = (\n' >"$file"
[ "$("$adl" --errors=json check "$file" 2>&1 | grep -c '^{.*}$')" = 2 ] || echo "not each mistake is an object"
wants 2 '"message":"cannot read nosuch.adl' --errors=json nosuch.adl
wants 2 '"kind":"argument"' --errors=json --seed x
rm -f "$file"
