# Starting, and memory.
value start 'start to first output, ms' '≤ 10, CPython ≥ ×2' adl="$(took 21 $adl -e 'print(1)' | column 1)" \
    cpython="$([ -n "$python" ] && took 21 "$python" -c 'print(1)' | column 1)" \
    lua="$([ -n "$lua" ] && took 21 "$lua" -e 'print(1)' | column 1)"
few=$(took 3 $adl tape.adl 1e5 | column 2) many=$(took 3 $adl tape.adl 2.1e6 | column 2)
value tape 'tape, bytes of resident size a recorded operation on numbers' '≤ 48' \
    adl="$(awk -v a="$few" -v b="$many" 'BEGIN { printf "%.1f", (b - a) * 1024 / 2e6 }')"
few=$(took 3 $adl expression.adl 10 | column 3) many=$(took 3 $adl expression.adl 60 | column 3)
value pages 'fresh pages a run of `a*b + c*exp(-d)`' '0' \
    adl="$(awk -v a="$few" -v b="$many" 'BEGIN { printf "%.2f", (b - a) / 50 }')"
value peak 'peak memory of 20 steps of the network above, MiB' '' \
    adl="$(took 3 $adl network.adl | awk '{ printf "%.1f", $2 / 1024 }')" \
    torch="$([ -n "$torch" ] && took 1 "$torch" network.torch.py | awk '{ printf "%.1f", $2 / 1024 }')"
for how in plain segments nested; do
    value checkpoint_$how "10⁴ steps on 1000 numbers, checkpoints: $how, MiB resident" '√-like' \
        adl="$(took 3 $adl checkpoint.adl $how | awk '{ printf "%.1f", $2 / 1024 }')"
done
