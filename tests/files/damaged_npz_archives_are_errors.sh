. tests/lib.sh
out=$(mktemp -d)
head -c 200 tests/files/lib/plain.npz >"$out/x.npz"; wants 1 "is no readable .npz archive" -e "load(\"$out/x.npz\")"
echo text >"$out/x.npz"; wants 1 "is no readable .npz archive" -e "load(\"$out/x.npz\")"
: >"$out/x.npz"; wants 1 "is no readable .npz archive" -e "load(\"$out/x.npz\")"
# one byte of an array turned over: the sum that the archive keeps beside it tells
{ head -c 180 tests/files/lib/plain.npz; printf '\377'; tail -c +182 tests/files/lib/plain.npz; } >"$out/x.npz"
wants 1 "damaged" -e "load(\"$out/x.npz\")"
rm -r "$out"
