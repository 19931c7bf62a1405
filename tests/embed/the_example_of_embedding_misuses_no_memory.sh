# examples/embed/embed.c under valgrind: nothing read or written where it should not be, nothing lost.
case $adl in *sanitize*) exit 0 ;; esac     # the sanitizers look at it then
command -v valgrind >/dev/null || { echo "there is no valgrind"; exit 77; }
OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 valgrind -q --error-exitcode=9 --leak-check=full \
    --errors-for-leak-kinds=definite "$(dirname "$adl")/embed" 2>&1 | diff examples/embed/embed.out -
