# For tests/*/NAME.sh: $adl is the program under test; a script is silent and ends with 0 when all is well.

# wants STATUS PART ARGS...: runs adl with ARGS (standard input is ours), and says so if it ends with another
# status or if PART stands nowhere in what it wrote.
wants() {
    wanted_status=$1 part=$2; shift 2
    text=$("$adl" "$@" 2>&1); status=$?
    if [ $status -ne "$wanted_status" ]; then echo "adl $*: status $status, not $wanted_status: $(short "$text")"; fi
    case $text in
        *"$part"*) ;;
        *) echo "adl $*: no \"$part\" in: $(short "$text")" ;;
    esac
}
short() { printf '%s' "$1" | cut -c1-300 | head -n 8; }

# many COUNT TEXT: TEXT over and over.
many() { yes "$2" | head -n "$1" | tr -d '\n'; }
