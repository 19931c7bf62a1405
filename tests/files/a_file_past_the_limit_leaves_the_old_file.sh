# ulimit -f: the system would end the process with a signal; it is an error like a full disk.
. tests/lib.sh
out=$(mktemp -d)
"$adl" -e "save(\"$out/x.npy\", [1, 2])"
ulimit -f 100
wants 0 "File too large" -e "try { save(\"$out/x.npy\", zeros(100000)) } catch e { print(e.message, load(\"$out/x.npy\")) }"
wants 0 "[1, 2]" -e "print(load(\"$out/x.npy\"))"
ls "$out" | grep -v '^x\.npy$'
rm -r "$out"
