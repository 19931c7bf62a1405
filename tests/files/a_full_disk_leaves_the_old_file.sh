# A file system of 64 KiB that is full: the old file stays, nothing half-written stays beside it.
. tests/lib.sh
out=$(mktemp -d)
mount -t tmpfs -o size=64k none "$out" 2>/dev/null || { rm -r "$out"; exit 0; }     # only root may
for file in x.npy x.json x.csv x.txt; do
    case $file in x.txt) value='"old"' big='"0123456789" * 10000' ;; *) value='[1, 2]' big='randn(20000)' ;; esac
    "$adl" -e "save(\"$out/$file\", $value)"
    cp "$out/$file" /tmp/adl_test_old
    wants 1 "No space left on device" -e "save(\"$out/$file\", $big)"
    cmp "$out/$file" /tmp/adl_test_old
done
ls "$out" | grep -v '^x\.[a-z]*$'
umount "$out"; rm -r "$out"
