# For tests of the prompt: adl in a terminal of its own (tmux), typed at and looked at as a person would.
# `. tests/terminal.sh` makes a home folder that is empty and goes away at the end. Nothing here waits for a
# time: sees() waits until the screen shows what it should, and complains if it never does.

scratch=$(mktemp -d)
home=$scratch/home
mkdir "$home"
patience=100              # tries, a tenth of a second apart
screens=0                 # each terminal has a tmux of its own
pane() { tmux -u -S "$scratch/socket.$screens" -f /dev/null "$@"; }
leave() { pane kill-server 2>/dev/null; rm -rf "$scratch"; }
trap leave EXIT
trap 'exit 1' INT TERM

# terminal COLUMNS ROWS [ARGS...]: starts adl (after `settings`, words for env) and waits for its prompt.
settings=
terminal() {
    columns=$1 rows=$2; shift 2
    [ $screens -eq 0 ] || pane kill-server 2>/dev/null
    screens=$((screens + 1))
    printf 'trap : INT\ncd "%s"\nenv -u NO_COLOR -u XDG_STATE_HOME -u XDG_CONFIG_HOME HOME="%s" LC_ALL=C.UTF-8 %s "%s" %s\necho "ended with $?"\nsleep 600\n' \
        "$home" "$home" "$settings" "$adl" "$*" >"$scratch/start"
    pane new-session -d -x "$columns" -y "$rows" "sh $scratch/start"
    sees 'adl>'
}
types() { case "$1" in *\;) pane send-keys -l -- "${1%;}\\;" ;; *) pane send-keys -l -- "$1" ;; esac; }
presses() { pane send-keys "$@"; }
# enters TEXT...: each on a line of its own, when the cursor has come to a new line after the one before: text
# that waits already counts as pasted and is not indented
enters() { for text; do types "$text"; from=$(cursor); presses Enter; moves; done; }
cursor() { pane display-message -p '#{cursor_y} #{history_size}'; }
moves() {
    tries=0
    while [ "$(cursor)" = "$from" ] && [ $tries -lt $patience ]; do sleep 0.02; tries=$((tries + 1)); done
}
# pastes FORMAT: as a terminal does, in brackets if adl has asked for them
pastes() { printf "$1" >"$scratch/paste"; pane load-buffer "$scratch/paste"; pane paste-buffer -p; }
resizes() { pane resize-window -x "$1" -y "$2"; }
screen() { pane capture-pane -p; }
coloured() { pane capture-pane -p -e | tr '\033' '~'; }

# holds TEXT: does the screen (or what "$look" shows) contain it now? Lines of TEXT must follow each other.
look=screen
holds() {
    shown=$($look)
    case "$shown" in *"$1"*) return 0 ;; esac
    return 1
}
waits() {
    tries=0
    until holds "$1"; do
        tries=$((tries + 1))
        [ $tries -lt $patience ] || return 1
        sleep 0.1
    done
}
sees() { waits "$1" || { echo "no \"$1\" on the screen:"; echo "$shown"; exit 1; }; }
sees_in_colour() { look=coloured; sees "$1"; look=screen; }
# after something that is there: sees WAITED; then TEXT must not be
lacks() { if holds "$1"; then echo "\"$1\" on the screen:"; echo "$shown"; exit 1; fi; }
lacks_in_colour() { look=coloured; lacks "$1"; look=screen; }
# does COMMAND's standard output hold TEXT?
gives() { text=$1; shift; case "$("$@")" in *"$text"*) ;; *) echo "$*: no \"$text\" in:"; "$@"; exit 1 ;; esac; }
