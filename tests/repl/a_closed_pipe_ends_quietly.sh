. tests/lib.sh
text=$({ "$adl" -e 'for i in range(1e6) { print(i) }' | head -n 1; } 2>&1)
[ "$text" = 0 ] || echo "said: $(short "$text")"
