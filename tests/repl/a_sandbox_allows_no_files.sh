# Neither reading nor writing, and the message says why.
. tests/lib.sh
wants 1 'not allowed in a sandbox' --sandbox -e 'read_text("/etc/hostname")'
wants 1 'not allowed in a sandbox' --sandbox -e 'write_text("/tmp/adl_sandbox_test", "x")'
wants 1 'not allowed in a sandbox' --sandbox -e 'write_csv("/tmp/adl_sandbox_test", [1])'
[ ! -e /tmp/adl_sandbox_test ] || echo "the file was written"
