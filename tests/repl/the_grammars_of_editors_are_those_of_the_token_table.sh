. tests/lib.sh
"$adl" doc --vim | cmp -s - lang/editors/vim/syntax/adl.vim || echo "adl.vim is out of date: make editors"
"$adl" doc --textmate | cmp -s - lang/editors/vscode/syntaxes/adl.tmLanguage.json || echo "adl.tmLanguage.json is out of date: make editors"
for file in syntaxes/adl.tmLanguage.json package.json language-configuration.json; do
    said=$("$adl" -e "x = read_json(\"lang/editors/vscode/$file\")" 2>&1)
    [ -z "$said" ] || echo "$file is no JSON: $said"
done
# Vim, where it is installed, finds no mistake in the file and colours the words.
command -v vim >/dev/null || exit 0
source=$(mktemp).adl; found=$(mktemp)
printf 'record < f = sum(x) > # word\n' >"$source"
at() { printf 'echo synIDattr(synID(1, %s, 1), "name")' "$1"; }
vim -u NONE -es -c 'syntax on' -c 'so lang/editors/vim/syntax/adl.vim' -c "redir! > $found" -c "e $source" \
    -c 'so lang/editors/vim/syntax/adl.vim' -c "$(at 1)" -c "$(at 8)" -c "$(at 14)" -c "$(at 24)" -c 'redir END' -c 'q!' </dev/null >/dev/null 2>&1
[ "$(tr -d '\n\r' <"$found")" = "adlKeywordadlOperatoradlFunctionadlComment" ] || cat "$found"
rm -f "$source" "$found"
