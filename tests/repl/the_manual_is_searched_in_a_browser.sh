. tests/lib.sh
# Where a Chromium is installed: the page finds matmul first, shows its derivative, and hides what does not match.
browser=$(command -v chromium || command -v chromium-browser) || exit 0
folder=$(mktemp -d)
"$adl" doc --html >"$folder/adl.html"
page() {
    HOME=$folder timeout 60 "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$folder/profile" \
        --virtual-time-budget=2000 "$@" "file://$folder/adl.html#search=matmul" 2>/dev/null
}
dom=$(page --dump-dom)
case $dom in *'<article id="matmul" style="order: -5;">'*) ;; *) echo "the search does not put matmul first" ;; esac
case $dom in *'<article id="erf" style="display: none;'*) ;; *) echo "the search does not hide erf" ;; esac
case $dom in *"<code>g @ y'</code>"*) ;; *) echo "the page does not show the derivative of matmul" ;; esac
page --window-size=1000,700 --screenshot="$folder/shot.png" >/dev/null
[ -s "$folder/shot.png" ] || echo "no screenshot"
rm -rf "$folder"
