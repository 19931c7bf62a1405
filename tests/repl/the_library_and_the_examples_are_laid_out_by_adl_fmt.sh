. tests/lib.sh
wants 0 '' fmt --check stdlib examples tests/bench    # if not: adl fmt stdlib examples tests/bench
