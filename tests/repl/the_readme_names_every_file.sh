# The map of README.md leads to every C file, table and folder, and names none that is not there.
map=$(sed -n '/^## Where is what/,/^## To add a thing/p' README.md | grep '^|')
names=$(printf '%s\n' "$map" | grep -o '`[^`]*`' | tr -d '`' | tr ' ' '\n' | grep -E '\.(c|h|def|adl)$')
set -f    # patterns like builtins*.c stay as they are

# is_named FILE: by itself or by a pattern
is_named() {
    for name in $names; do
        case $1 in $name) return 0;; esac
    done
    return 1
}

for file in $(ls lang runtime | grep -E '\.(c|def)$'); do
    is_named "$file" || echo "README.md does not say where $file belongs"
done
set +f
for name in $names; do
    for place in lang/$name runtime/$name stdlib/$name $name; do [ -e "$place" ] && continue 2; done
    echo "README.md names $name, which is not there"
done
for folder in examples lang runtime stdlib tests lang/*/ examples/*/ tests/*/; do
    folder=${folder%/}
    case $folder in tests/*) map=tests/README.md;; *) map=README.md;; esac
    grep -q "[\`/]${folder##*/}[/)]" $map || echo "$map does not say what $folder/ is"
done
