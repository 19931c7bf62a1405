# ADL_FAIL_AT=n makes the n-th allocation fail. Whatever n is, the program ends in one error about memory with
# status 1 (70 would say that something was not freed), and past the last allocation it ends well.
program=tests/errors/lib/some_of_everything.adl
# Every fifth here, so that the tests stay quick; STEP=1 walks all of them (a minute).
case $adl in *sanitize*) step=${STEP:-23} ;; *) step=${STEP:-5} ;; esac

export adl program
try='text=$(ADL_FAIL_AT=$0 "$adl" --seed 1 $program 2>&1); status=$?
     case $status:$text in 0: | 1:"error: memory ran out"*) ;; *) echo "n = $0: status $status: $text" ;; esac'
first=1
while first_text=$(ADL_FAIL_AT=$first "$adl" --seed 1 $program 2>&1); [ -n "$first_text" ] && [ $first -lt 20000 ]; do
    last=$((first + 200 * step - 1))
    seq $first $step $last | xargs -n 1 -P 2 sh -c "$try"
    first=$((last + 1))
done
