. tests/lib.sh
# 10⁴ steps on arrays of 8 KB: 80 MB of tape, or a hundred states and a hundred steps, or by halves less still.
wants 1 "memory ran out" --memory 60M tests/bench/checkpoint.adl plain
wants 0 972.636317774153 --memory 8M tests/bench/checkpoint.adl segments
wants 0 972.636317774153 --memory 3M tests/bench/checkpoint.adl nested
