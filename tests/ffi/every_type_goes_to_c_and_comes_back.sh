# A library of our own, compiled here: found by its path beside the file that names it, and through ADL_LIBRARY_PATH
# by its file's name and by its bare name.
. tests/lib.sh
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
command -v gcc >/dev/null || { echo "there is no gcc"; exit 77; }
gcc -std=c11 -O1 -fPIC -shared -o "$scratch/all_types.so" tests/ffi/lib/all_types.c || exit 1
cp tests/ffi/lib/all_types.adl "$scratch"
"$adl" "$scratch/all_types.adl" >"$scratch/out" 2>&1
diff tests/ffi/lib/all_types.out "$scratch/out"

cp "$scratch/all_types.so" "$scratch/liball_types.so.3"
for name in all_types.so liball_types.so.3 liball_types.so all_types; do
    ADL_LIBRARY_PATH=/nonexistent:$scratch wants 0 -7 -e "extern \"$name\" { fn same_int(x: int): int }
print(same_int(-7))"
done
wants 1 'there is no library `all_types`' -e 'extern "all_types" { fn same_int(x: int): int }'
