. tests/lib.sh
file=$(mktemp).adl
printf 'print("before")\nerror("here")\nprint("after")\n' >"$file"
text=$("$adl" "$file" 2>/dev/null)
[ "$text" = before ] || echo "printed: $text"
rm -f "$file"
