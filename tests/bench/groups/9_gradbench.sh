# The problems of GradBench, in a table of their own.
{
    echo
    echo "The twelve problems of GradBench, on one thread; the columns of C++ are from another machine."
    echo
    PYTHON=${torch:-false} ROUNDS=$rounds gradbench/run "${build#../../}"
} >>"$scratch/tables" 2>/dev/null
