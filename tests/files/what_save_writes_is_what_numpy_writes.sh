# Byte for byte: lib/f64.npy and bool.npy were written by numpy.save.
out=$(mktemp -d)
"$adl" -e "a = [[1, -2, 3], [4, 5, -6]]; save(\"$out/f64.npy\", a); save(\"$out/bool.npy\", a > 0)
           save(\"$out/scalar.npy\", 3.5); save(\"$out/empty.npy\", zeros(0, 3))"
for name in f64 bool scalar empty; do cmp "$out/$name.npy" "tests/files/lib/$name.npy"; done
rm -r "$out"
