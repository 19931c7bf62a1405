# The problems of GradBench, in a table of their own.
{
    echo
    echo "The twelve problems of GradBench, on one thread; the other columns are from another machine."
    echo
    gradbench/run "${build#../../}"
} >>"$scratch/tables" 2>/dev/null
