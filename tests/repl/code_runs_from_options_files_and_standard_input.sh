. tests/lib.sh
file=$(mktemp); echo 'print("file", args)' >"$file"
wants 0 'file ("a", "b")' "$file" a b
echo 'print("input")' | wants 0 input -
echo 'print("input")' | wants 0 input
wants 0 'one
two' -e 'x = "one"; print(x)' -e 'print("two")'
wants 0 5 -p '2 + 3'
rm -f "$file"
