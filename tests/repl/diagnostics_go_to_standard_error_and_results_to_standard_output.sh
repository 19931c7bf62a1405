. tests/lib.sh
text=$("$adl" -e 'print("out"); error("err")' 2>/dev/null)
[ "$text" = out ] || echo "standard output: $text"
text=$("$adl" -e 'print("out"); error("err")' 2>&1 >/dev/null)
case $text in *"error: err"*) ;; *) echo "standard error: $text" ;; esac
