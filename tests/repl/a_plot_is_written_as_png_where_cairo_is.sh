. tests/lib.sh
case $adl in *sanitize*) exit 0 ;; esac      # what fontconfig keeps for good counts as a leak there
file=$(mktemp -d)/plot.png
said=$("$adl" -e "plot(sin, 0, 6, \"$file\", title = \"sine\"); heat_map([[1, 2]], \"$file\"); scatter([1, nan], [2, 3], \"$file\")" 2>&1)
case $said in
    '') [ "$(head -c 4 "$file" | tr -d '\211')" = PNG ] || echo "that is no PNG" ;;
    *'without Cairo'*) rm -rf "$(dirname "$file")"; exit 0 ;;
    *) echo "$said" ;;
esac
wants 1 'is not allowed in a sandbox' --sandbox -e "plot([1, 2], \"$file\")"
wants 1 'cannot write' -e 'plot([1, 2], "/nosuch/a.png")'
wants 1 'needs a field' -e "write_png(\"$file\", {width: 10, height: 10})"
wants 1 'is a struct' -e "write_png(\"$file\", {width: 10, height: 10, shapes: (1,)})"
wants 1 '1 to 10000 units' -e "write_png(\"$file\", {width: 1e6, height: 10, shapes: ()})"
rm -rf "$(dirname "$file")"
