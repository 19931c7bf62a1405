# A header that lies, one that ends too early, one that is none: each is an error that names the file.
. tests/lib.sh
out=$(mktemp -d)
# header VERSION_AND_LENGTH TEXT BYTES: writes a file whose length field and text are ours
header() { { printf '\223NUMPY'; printf "$1"; printf '%s\n' "$2"; head -c "$3" /dev/zero; } >"$out/x.npy"; }
refused() { wants 1 "$1" -e "load(\"$out/x.npy\")"; }

head -c 100 tests/files/lib/f64.npy >"$out/x.npy"; refused "it ends inside its header"
head -c 150 tests/files/lib/f64.npy >"$out/x.npy"; refused "promises shape [2, 3], which is 6 elements, but holds 2"
head -c 5 tests/files/lib/f64.npy >"$out/x.npy"; refused "it does not begin as one"
: >"$out/x.npy"; refused "it does not begin as one"
printf 'PK\003\004 not an array' >"$out/x.npy"; refused "it does not begin as one"
header '\011\000\077\000' "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }     " 24; refused "its version is not 1, 2 or 3"
header '\001\000\077\000' "{'descr': '<f8', 'fortran_order': False, 'shape': (9999999999)}" 24; refused "promises shape"
header '\001\000\122\000' "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 2), }   " 24; refused "absurdly long"
header '\001\000\122\000' "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296, 4), } " 24; refused "too large"
header '\001\000\077\000' "{'descr': '<f8', 'fortran_order': Maybe, 'shape': (3,), }     " 24; refused "its header is damaged"
header '\001\000\077\000' "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }    " 24; refused "its shape is damaged"
header '\001\000\077\000' "{'descr': '<f8', 'fortran_order': False                       " 24; refused "its header is damaged"
header '\003\000\377\377\377\377' "{'descr': '<f8'}" 24; refused "it ends inside its header"
rm -r "$out"
