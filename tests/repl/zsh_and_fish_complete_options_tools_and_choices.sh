. tests/terminal.sh
PATH=$(dirname "$adl"):$PATH; export PATH
missing= failed=
if command -v fish >/dev/null; then
    "$adl" doc --fish >"$scratch/adl.fish"
    # fished WORDS WANTED: fish itself completes WORDS to (among others) WANTED
    fished() {
        got=$(cd "$home" && HOME=$home fish --no-config -c "source $scratch/adl.fish; complete -C '$1'" | cut -f 1)
        echo "$got" | grep -qxF -e "$2" || { failed=1; echo "fish: $1<tab> gives $got, not $2"; }
    }
    fished 'adl --er' --errors
    fished 'adl --errors ' json
    fished 'adl --color=al' --color=always
    fished 'adl fm' fmt
    fished 'adl fmt --ch' --check
else missing="fish"; fi
if command -v zsh >/dev/null; then
    mkdir "$scratch/functions"; "$adl" doc --zsh >"$scratch/functions/_adl"
    printf 'PS1="zsh> "; fpath=(%s $fpath); autoload -U compinit; compinit -u -d %s/dump\n' \
        "$scratch/functions" "$scratch" >"$home/.zshrc"
    screens=1; pane new-session -d -x 100 -y 24 "cd '$home'; env ZDOTDIR='$home' zsh -d -i"
    # zshed TYPED WANTED: Tab makes WANTED of TYPED
    zshed() { presses C-u; presses C-l; sees 'zsh>'; types "$1"; presses Tab; sees "zsh> $2"; }
    sees 'zsh>'
    zshed 'adl --er' 'adl --errors='
    zshed 'adl --color=al' 'adl --color=always'
    zshed 'adl fm' 'adl fmt'
    zshed 'adl fmt --ch' 'adl fmt --check'
    presses C-u; types 'adl --s'; presses Tab; sees 'no files, no foreign code, no processes'
else missing="$missing zsh"; fi
[ -z "$missing" ] || [ -n "$failed" ] || { echo "not installed: $missing"; exit 77; }
