. tests/lib.sh
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
printf 'extern "libnosuch.so.1" { fn f(): int }\nprint(f())   # => 1\n' >"$scratch/needs.adl"
wants 0 "skipped $scratch/needs.adl: there is no library \`libnosuch.so.1\`" test "$scratch/needs.adl"
wants 0 "0 passed, 0 failed" test "$scratch/needs.adl"
