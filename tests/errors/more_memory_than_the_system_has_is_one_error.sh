# Here the shell allows less than the machine has; the program goes on.
case $adl in *sanitize*) exit 0 ;; esac     # it needs more addresses than that
text=$( (ulimit -v 3000000; "$adl" -e 'try { x = ones(1e9) } catch e { print(e.message) }; print(sum(ones(3)))') 2>&1)
case $text in
*"memory ran out: 7.45 GiB more are needed"*"the system has no more to give"*3) ;;
*) echo "$text";;
esac
