build=$(dirname "$adl")
for names in "$(nm -g --defined-only "$build/libadl.a")" "$(nm -D --defined-only "$build/libadl.so")"; do
    echo "$names" | grep ' [A-Z] ' | grep -v ' adl_' | grep -v -e __asan -e __odr_asan -e __ubsan
done
readelf -d "$build/libadl.so" | grep -q 'SONAME.*libadl\.so\.0' || echo "libadl.so has another soname"
readelf -d "$build/libadl.so" | grep 'NEEDED.*readline'      # it is under the GPL: only the program may
nm "$build/libadl.a" | grep ' [A-Z] adl_' | sed 's/.* //' | sort -u >/tmp/adl_test_names
sed -n 's/^ADL_API.*[ *]\(adl_[a-z0-9_]*\)(.*/\1/p' lang/adl.h | sort -u | diff - /tmp/adl_test_names
