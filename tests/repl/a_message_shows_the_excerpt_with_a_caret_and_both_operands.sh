. tests/lib.sh
file=$(mktemp).adl
printf 'w = ones(2, 3)\nx = ones(4)\ny = w * x\n' >"$file"
wants 1 'error: cannot multiply shapes [2, 3] and [4]' "$file"
wants 1 ":3:5" "$file"
wants 1 'y = w * x' "$file"
wants 1 'x is [4], from line 2' "$file"
wants 1 'w is [2, 3], from line 1' "$file"
rm -f "$file"
