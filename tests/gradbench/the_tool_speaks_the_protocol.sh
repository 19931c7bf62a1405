# One line of JSON in, one line out with the same id: start, define, evaluate, an unknown module, an error in
# a problem, analysis.
. tests/lib.sh
ask() {
    printf '%s\n' '{"id": 0, "kind": "start", "eval": "hello"}' '{"id": 1, "kind": "define", "module": "lse"}' \
        '{"id": 2, "kind": "evaluate", "module": "hello", "function": "double", "input": -3.25}' \
        '{"id": 3, "kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": [0, 0], "min_runs": 3, "min_seconds": 0}}' \
        '{"id": 4, "kind": "define", "module": "nosuch"}' \
        '{"id": 5, "kind": "evaluate", "module": "lse", "function": "nosuch", "input": {}}' \
        '{"id": 6, "kind": "evaluate", "module": "lse", "function": "primal", "input": {"x": "text", "min_runs": 1, "min_seconds": 0}}' \
        '{"id": 7, "kind": "analysis", "of": 3, "valid": true}' | "$adl" tests/bench/gradbench/tool.adl 2>&1
}
said=$(ask | sed 's/"nanoseconds": [0-9][0-9]*/"nanoseconds": N/g')
has() { case $said in *"$1"*) ;; *) echo "no $1 in: $(short "$said")" ;; esac; }
once='{"name": "evaluate", "nanoseconds": N}'
has '{"id": 0, "tool": "adl"}'
has '{"id": 1, "success": true}'
has "{\"id\": 2, \"success\": true, \"output\": -6.5, \"timings\": [$once]}"
has "{\"id\": 3, \"success\": true, \"output\": 0.6931471805599453, \"timings\": [$once, $once, $once]}"
has '{"id": 4, "success": false, "error": '
has '{"id": 5, "success": false, "error": "there is no function \"nosuch\""}'
has '{"id": 6, "success": false, "error": '
has '{"id": 7}'
[ "$(echo "$said" | wc -l)" = 8 ] || echo "not 8 lines: $said"
