. tests/lib.sh
# The table of the exit statuses: what ends with which, and a part of what it says.
file=$(mktemp -d)/bad.adl; folder=$(dirname "$file")
printf 'x = (1 +\n' >"$file"
wants 0   3        -e 'print(1 + 2)'
wants 0   3        -p '1 + 2'
wants 0   ''       -e 'exit()'
wants 0   'adl '   --help
wants 0   ''       check examples/autograd.adl
wants 1   error    -e 'error("x")'
wants 1   error    -e 'x = = 1'
wants 1   'error'  "$file"
wants 1   'error: ' -p 'nosuch'
wants 2   nosuch.adl                 nosuch.adl
wants 2   'it is a folder'           "$folder"
wants 2   'no option --no-such'      --no-such
wants 2   'did you mean --seed?'     --seeed 3
wants 2   'no option -Z'             -Z
wants 2   '-e needs CODE'            -e
wants 2   '--seed needs N'           --seed
wants 2   'a whole number'           --seed x
wants 2   'a size like 500M'         --memory lots
wants 2   '1 to 1024'                --threads 0
wants 2   'auto|always|never'        --color=blue
wants 2   'text|json'                --errors=xml
wants 2   'adl check needs a file'   check
wants 2   'adl fmt has no option --chek'  fmt --chek x.adl
wants 2   'did you mean adl test?'   tset
wants 3   'expected'                 check "$file"
wants 3   'expected'                 fmt "$file"
wants 7   ''       -e 'exit(7)'
wants 7   ''       -i -e 'exit(7)'
wants 255 ''       -e 'exit(255)'
if [ -w /dev/full ]; then
    for call in '-e print(1)' '--help' '--version' 'doc --man' 'fmt -'; do
        printf 'x = 1\n' | "$adl" $call >/dev/full 2>/dev/null
        status=$?; [ $status = 74 ] || echo "adl $call on a full disk: status $status, not 74"
    done
fi
"$adl" -e 'while true { }' & process=$!
sleep 0.3; kill -INT $process 2>/dev/null; wait $process
status=$?; [ $status = 130 ] || echo "interrupted: status $status, not 130"
"$adl" -e 'for i in range(1e6) { print(i) }' 2>"$folder/said" | head -n 1 >/dev/null
[ -s "$folder/said" ] && { echo "a closed pipe is talked about:"; cat "$folder/said"; }
rm -rf "$folder"
