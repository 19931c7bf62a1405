# --sandbox: neither reading nor writing, and the message says why.
$adl --sandbox -e 'read_text("/etc/hostname")' 2>&1 | grep -q 'not allowed in a sandbox' || echo "reading"
$adl --sandbox -e 'write_text("/tmp/adl_sandbox_test", "x")' >/dev/null 2>&1
[ -e /tmp/adl_sandbox_test ] && echo "writing"
true
