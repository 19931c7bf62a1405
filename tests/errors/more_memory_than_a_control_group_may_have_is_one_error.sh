# A service or a batch system limits a group of processes, and ends without a word who goes past it.
case $adl in *sanitize*) exit 0 ;; esac     # it takes more memory by itself
outer=/sys/fs/cgroup/memory limit=memory.limit_in_bytes
[ -d $outer ] || { outer=/sys/fs/cgroup limit=memory.max; }
group=$outer/adl_test_$$
{ mkdir -p $group/inner && echo 200M >$group/$limit; } 2>/dev/null ||
    { rmdir $group/inner $group 2>/dev/null; echo "may not make control groups"; exit 77; }
trap 'rmdir $group/inner $group' EXIT
run() { sh -c 'echo $$ >'$group'/inner/cgroup.procs && exec "$@"' sh "$adl" -e "$1" 2>&1; }
for program in 'x = zeros(1e8)' 'l = (); while true { l = append(l, ones(100000)) }' \
               'l = (); while true { l = append(l, ones(3)) }'; do
    text=$(run "$program")
    case $text in *"memory ran out"*) ;; *) echo "$program: $text";; esac
done
