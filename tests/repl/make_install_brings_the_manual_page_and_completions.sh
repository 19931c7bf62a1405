. tests/lib.sh
case $adl in *sanitize*) exit 0 ;; esac      # make would build again, without the sanitizers
# Every option of --help stands in the manual page and in the completion of each shell.
to=$(mktemp -d)
make -s install DESTDIR="$to" PREFIX=/usr BUILD="$(dirname "$adl")" >/dev/null || echo "make install failed"
share=$to/usr/share
for file in man/man1/adl.1 bash-completion/completions/adl zsh/site-functions/_adl fish/vendor_completions.d/adl.fish; do
    [ -s "$share/$file" ] || echo "no $file"
done
[ -x "$to/usr/bin/adl" ] || echo "no bin/adl"
for option in $("$adl" --help | grep -o '^  .*--[a-z-]*' | grep -o -- '--[a-z-]*$' | grep -v -- '--check\|--update\|--html'); do
    name=${option#--}
    grep -q -- "$(echo "$option" | sed 's/-/\\\\-/g')" "$share/man/man1/adl.1" || echo "$option is not in adl.1"
    grep -q -- "$option" "$share/bash-completion/completions/adl" || echo "$option is not completed by bash"
    grep -q -- "$option" "$share/zsh/site-functions/_adl" || echo "$option is not completed by zsh"
    grep -q -- "-l $name" "$share/fish/vendor_completions.d/adl.fish" || echo "$option is not completed by fish"
done
rm -rf "$to"
