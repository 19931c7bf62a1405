. tests/lib.sh
# completes WORDS... WANTED: the last of WORDS is completed to (among others) WANTED.
command -v bash >/dev/null || exit 0
"$adl" doc --bash >"${script:=$(mktemp)}"
completes() {
    got=$(bash -c '. "$1"; shift; COMP_WORDS=(adl "$@"); COMP_CWORD=$#; _adl; echo "${COMPREPLY[*]}"' - "$script" $1)
    case " $got " in *" $2 "*) ;; *) echo "adl $1<tab> gives \"$got\", not $2" ;; esac
}
completes "--se" --seed
completes "--er" --errors
completes "--color = al" always
completes "--errors j" json
completes "fm" fmt
completes "fmt --ch" --check
completes "test tests/l" tests/lang
completes "doc --h" --html
rm -f "$script"
