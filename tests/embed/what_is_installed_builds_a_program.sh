# As a user would: make install, then pkg-config, against the shared library. (A sanitized library needs its runtime.)
case $adl in *sanitize*) exit 0 ;; esac
out=$(mktemp -d)
make -s BUILD="$(basename "$(dirname "$adl")")" install PREFIX="$out" >/dev/null || echo "make install failed"
PKG_CONFIG_PATH=$out/lib/pkgconfig
export PKG_CONFIG_PATH
cc examples/embed/embed.c $(pkg-config --cflags --libs adl) -o "$out/embed" &&
    LD_LIBRARY_PATH=$out/lib "$out/embed" 2>&1 | diff examples/embed/embed.out -
rm -r "$out"
