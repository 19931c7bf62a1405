# bomb.npz holds 16 MB of zeros in 16 KB: it is read where there is room for them, and an error where there is none.
. tests/lib.sh
out=$(mktemp -d)
wants 0 "[2000000]" --memory 100M -e 'print(load("tests/files/lib/bomb.npz").x.shape)'
wants 0 "caught: memory ran out: 15.3 MiB more are needed" --memory 10M -e '
    try { load("tests/files/lib/bomb.npz") } catch e { print("caught:", e.message) }'
# A directory that promises 3 GB from a few hundred bytes, in both places where it says so.
size='\000\136\320\262' file=tests/files/lib/compressed.npz
{ head -c 22 $file; printf "$size"; tail -c +27 $file | head -c 231; printf "$size"; tail -c +262 $file; } >"$out/x.npz"
wants 1 "would unpack to 2.79 GiB from" -e "load(\"$out/x.npz\")"
rm -r "$out"
